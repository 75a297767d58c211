//! Tells the operator that checks could not be made for want of something that is ours: descriptors, room, memory.
//!
//! Such checks are `unknown` and alert no team. They come by the hundred, so of each kind one line a minute says how many
//! there were.

use std::sync::Mutex;
use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::cause::{Cause, Code};

const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Starved {
    overloaded: Mutex<Told>,
    descriptors: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Timestamp>,
    since: u64,
}

impl Starved {
    /// Takes note of a check that came out like this.
    pub(crate) fn note(&self, cause: Option<&Cause>, now: Timestamp) {
        let Some(cause) = cause else { return };
        let told = match cause.code {
            Code::Overloaded => &self.overloaded,
            Code::NoDescriptors => &self.descriptors,
            _ => return,
        };
        let Some(checks) = crate::lock(told).count(now) else { return };
        tracing::warn!(
            checks,
            cause = cause.text,
            "checks could not be made, and are unknown: this machine gives Gazer too little for all of them at once; \
             allow it more open files (ulimit -n, LimitNOFILE), or check less often"
        );
    }
}

impl Told {
    /// How many there were since it was said last, where it is time to say it again.
    fn count(&mut self, now: Timestamp) -> Option<u64> {
        self.since += 1;
        if self.last.is_some_and(|last| now < last + QUIET && last <= now) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_once_a_minute_with_their_number() {
        let mut told = Told::default();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000_000 + seconds * 1_000);
        assert_eq!([0, 1, 59].map(|second| told.count(at(second))), [Some(1), None, None]);
        assert_eq!(told.count(at(60)), Some(3));
        assert_eq!(told.count(at(-3_600)), Some(1), "a clock that was set back silences nothing");
    }
}
