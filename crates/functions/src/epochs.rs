//! Whose batches count, where a process that planned stood still and wakes up beside the one that took its turn.

use std::sync::Mutex;
use std::time::Duration;

use gazer_domain::Timestamp;

use crate::lock;

/// A turn that is over ends its batches by then. What comes later in an older turn is from another database: it was
/// restored.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The latest turn of the clock that batches came from, and when the last of them came.
#[derive(Debug, Default)]
pub(crate) struct Epochs(Mutex<Option<(i64, Timestamp)>>);

impl Epochs {
    pub(crate) fn is_over(&self, epoch: i64, now: Timestamp) -> bool {
        let mut latest = lock(&self.0);
        let is_over = latest.is_some_and(|(known, at)| epoch < known && now.since(at) < REMEMBERED);
        if !is_over {
            *latest = Some((epoch, now));
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_once_another_began() {
        let (epochs, at) = (Epochs::default(), Timestamp::from_millis(1_000_000));
        assert!(!epochs.is_over(4, at) && !epochs.is_over(4, at) && !epochs.is_over(5, at));
        assert!(epochs.is_over(4, at + Duration::from_secs(30)));
        assert!(!epochs.is_over(5, at + Duration::from_secs(31)));
        assert!(!epochs.is_over(1, at + Duration::from_secs(120)), "turns are counted anew");
    }
}
