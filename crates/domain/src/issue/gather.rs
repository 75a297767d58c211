//! What a process has to report, gathered so that a fault in a loop costs it next to nothing.
//!
//! Errors with one fingerprint are one report with a count, handed on at most every [`EVERY`]; all together at most sixty
//! in a minute. What is not handed on yet is kept and counted, for at most two hundred fingerprints; beyond that an error
//! is in the log only.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Fingerprint, Report};
use crate::Timestamp;

/// Between two reports of one fingerprint.
pub const EVERY: Duration = Duration::from_secs(10);
const MOST_PER_MINUTE: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// A process that has more kinds of errors at once is broken in a way that the first of them tell.
const MOST_KEPT: usize = 200;

#[derive(Debug, Default)]
pub struct Gathered {
    kept: HashMap<Fingerprint, Kept>,
    /// When reports were handed on within the last minute, oldest first.
    handed: VecDeque<Timestamp>,
}

#[derive(Debug)]
struct Kept {
    /// What is to be handed on.
    report: Option<Report>,
    handed: Option<Timestamp>,
}

impl Gathered {
    /// False where there is no room for it.
    pub fn add(&mut self, report: Report) -> bool {
        if let Some(kept) = self.kept.get_mut(&report.fingerprint) {
            let before = kept.report.as_ref().map_or(0, |report| report.count);
            kept.report = Some(Report { count: before.saturating_add(report.count), ..report });
            return true;
        }
        if self.kept.len() >= MOST_KEPT {
            return false;
        }
        self.kept.insert(report.fingerprint, Kept { report: Some(report), handed: None });
        true
    }

    /// What may be handed on now, oldest first.
    pub fn take(&mut self, now: Timestamp) -> Vec<Report> {
        // A clock that was set back must not silence us.
        let is_past = |at: Timestamp, length: Duration| at + length <= now || at > now;
        while self.handed.front().is_some_and(|at| is_past(*at, MINUTE)) {
            self.handed.pop_front();
        }
        self.kept.retain(|_, kept| kept.report.is_some() || kept.handed.is_some_and(|at| !is_past(at, EVERY)));
        let mut due: Vec<_> = self
            .kept
            .iter()
            .filter(|(_, kept)| kept.handed.is_none_or(|at| is_past(at, EVERY)))
            .filter_map(|(fingerprint, kept)| Some((kept.report.as_ref()?.at, *fingerprint)))
            .collect();
        due.sort_unstable();
        due.truncate(MOST_PER_MINUTE.saturating_sub(self.handed.len()));
        let mut taken = Vec::with_capacity(due.len());
        for (_, fingerprint) in due {
            let Some(kept) = self.kept.get_mut(&fingerprint) else { continue };
            kept.handed = Some(now);
            taken.extend(kept.report.take());
            self.handed.push_back(now);
        }
        taken
    }

    /// Nothing waits to be handed on.
    pub fn is_empty(&self) -> bool {
        self.kept.values().all(|kept| kept.report.is_none())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Region;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn report(kind: u16, millis: i64) -> Report {
        // Letters, for numbers make no difference.
        let place = format!("{kind:b}").replace('0', "a").replace('1', "b");
        Report {
            fingerprint: Fingerprint::of("judge", &place, "", &[]),
            function: "judge".into(),
            message: format!("at {millis}"),
            version: "0.1.0".into(),
            count: 1,
            at: at(millis),
            process: "one".into(),
            region: Region::local(),
        }
    }

    #[test]
    fn the_first_goes_at_once_and_what_follows_in_company() {
        let mut gathered = Gathered::default();
        gathered.add(report(1, 0));
        assert_eq!(gathered.take(at(1)).len(), 1);
        for millis in 2..100 {
            gathered.add(report(1, millis));
            assert!(gathered.take(at(millis)).is_empty());
        }
        assert!(!gathered.is_empty());
        let taken = gathered.take(at(10_001));
        assert_eq!((taken.len(), taken[0].count, taken[0].at), (1, 98, at(99)));
        assert!(gathered.is_empty() && gathered.take(at(20_001)).is_empty() && gathered.kept.is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nobody() {
        let mut gathered = Gathered::default();
        for kind in 0..60 {
            gathered.add(report(kind, 3_600_000));
        }
        assert_eq!(gathered.take(at(3_600_000)).len(), 60);
        gathered.add(report(1, 0));
        assert_eq!(gathered.take(at(0)).len(), 1);
    }

    proptest! {
        #[test]
        fn bounds_hold_and_nothing_that_was_kept_is_lost(
            steps in proptest::collection::vec((0_u16..400, 0_i64..2_000), 1..600),
        ) {
            let (mut gathered, mut now, mut added, mut taken) = (Gathered::default(), 0, 0_u64, Vec::new());
            for (kind, pause) in steps {
                now += pause;
                added += u64::from(gathered.add(report(kind, now)));
                prop_assert!(gathered.kept.len() <= MOST_KEPT);
                taken.extend(gathered.take(at(now)).into_iter().map(|report| (now, report)));
            }
            for (n, (then, report)) in taken.iter().enumerate() {
                let since = &taken[..n];
                let minute = since.iter().filter(|(earlier, _)| earlier + 60_000 > *then).count();
                prop_assert!(minute < MOST_PER_MINUTE);
                let twice = since.iter().any(|(earlier, other)| {
                    other.fingerprint == report.fingerprint && earlier + 10_000 > *then
                });
                prop_assert!(!twice);
            }
            while !gathered.is_empty() {
                now += 10_000;
                taken.extend(gathered.take(at(now)).into_iter().map(|report| (now, report)));
            }
            prop_assert_eq!(taken.iter().map(|(_, report)| u64::from(report.count)).sum::<u64>(), added);
        }
    }
}
