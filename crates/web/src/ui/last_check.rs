//! How long the last check took, and whose time that was.
//!
//! A check that failed was verified: its time is that of all attempts and of the gaps between them, and says nothing of
//! the site. So it is never shown as a response time. Nor is that of a good check which began with a failed attempt: its
//! phases, which are of the attempt that decided, are.

use std::time::Duration;

use gazer_domain::verdict::Verdict;
use gazer_store::{CheckRow, LastCheck};

use super::words::took;

/// How long the site took to answer; `None` where it did not answer as it should.
pub(crate) fn answered(last: &LastCheck, checks: &[CheckRow]) -> Option<Duration> {
    if !last.verdict.is_up() {
        return None;
    }
    let row = checks.iter().rev().find(|row| row.slot == last.slot);
    let phases = row.map(|row| Duration::from_micros(row.phases.total_us())).filter(|phases| !phases.is_zero());
    Some(phases.unwrap_or(last.took))
}

/// `up in 84 ms`, `down after 2.01 s of trying`.
pub(crate) fn sentence(last: &LastCheck, checks: &[CheckRow]) -> String {
    let verdict = last.verdict;
    match (answered(last, checks), verdict) {
        (Some(time), _) => format!("{verdict} in {}", took(time)),
        (None, Verdict::Unknown) => verdict.to_string(),
        (None, _) => format!("{verdict} after {} of trying", took(last.took)),
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::Timestamp;
    use gazer_domain::observation::Phases;

    use super::*;

    const SLOT: Timestamp = Timestamp::from_millis(1_000_000);

    fn last(verdict: Verdict, took: u64) -> LastCheck {
        LastCheck { slot: SLOT, took: Duration::from_millis(took), verdict }
    }

    fn row(first_byte: u32) -> CheckRow {
        let phases = Phases { first_byte, ..Phases::default() };
        let lateness = Duration::ZERO;
        CheckRow { slot: SLOT, lateness, took: Duration::from_millis(1_084), verdict: Verdict::Up, code: None, phases }
    }

    #[test]
    fn the_time_of_trying_is_not_a_response_time() {
        assert_eq!(sentence(&last(Verdict::Down, 2_010), &[row(0)]), "down after 2.01 s of trying");
        assert_eq!(sentence(&last(Verdict::Unknown, 0), &[]), "unknown");
        assert_eq!(sentence(&last(Verdict::Up, 84), &[]), "up in 84 ms");
        assert_eq!(sentence(&last(Verdict::Up, 0), &[row(430)]), "up in 0.4 ms", "a whole millisecond did not pass");
        assert_eq!(sentence(&last(Verdict::Slow, 1_084), &[row(84_000)]), "slow in 84 ms", "verified, then answered");
    }
}
