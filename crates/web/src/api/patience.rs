//! Waiting for what another function does, for as long as a caller will wait.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Somebody waits for the answer, and one look costs the store one read of one row.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// `while patience.look().await { … }` looks at once, then at intervals, and a last time when it is used up.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    looked: bool,
}

impl Patience {
    pub(super) fn of(length: Duration) -> Self {
        Self { until: Instant::now() + length, looked: false }
    }

    pub(super) async fn look(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.looked, true);
        if first {
            return true;
        }
        if Instant::now() >= self.until {
            return false;
        }
        sleep(LOOK_EVERY).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_at_once_and_ends_when_it_is_used_up() {
        let mut none = Patience::of(Duration::ZERO);
        assert!(none.look().await);
        assert!(!none.look().await);
        let mut some = Patience::of(Duration::from_secs(3600));
        assert!(some.look().await && some.look().await);
    }
}
