//! When a monitor is due.
//!
//! A slot is one instant at which a monitor is due: `phase + k · interval` after 1970, from `since` on. The phase is a
//! hash of the monitor's id, so the load of many monitors is spread evenly, and a restart brings no herd: everybody
//! keeps the slot they had. Slots are a pure function of time; nothing counts them, and the store finds a monitor's
//! checks by asking for the instants at which it was due.
//!
//! Where each message costs money, phases are aligned: they lie so far apart that many monitors are due at one instant
//! and travel together.

use std::time::Duration;

use crate::time::millis;
use crate::{Invalid, MonitorId, Timestamp};

pub const SHORTEST: Duration = Duration::from_secs(5);
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What is aligned is due so long after the whole minute: a clock that comes with the minute has woken whoever plans.
pub const AFTER_THE_MINUTE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    interval_ms: i64,
    phase_ms: i64,
    since: Timestamp,
}

impl Cadence {
    /// `since` is when this cadence began to hold: creation, a resume, or a new interval. Slots before it do not exist.
    pub fn new(monitor: MonitorId, interval: Duration, since: Timestamp) -> Self {
        let interval_ms = millis(interval).max(1);
        let phase_ms = (monitor.spread() % interval_ms as u64) as i64;
        Self { interval_ms, phase_ms, since }
    }

    /// The same, with its phase on a grid so wide; none leaves it where it is.
    #[must_use]
    pub fn aligned(self, align: Duration) -> Self {
        let Some(steps) = self.phase_ms.checked_div(millis(align)) else { return self };
        let phase_ms = steps * millis(align) + millis(AFTER_THE_MINUTE);
        Self { phase_ms: phase_ms.rem_euclid(self.interval_ms), ..self }
    }

    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms as u64)
    }

    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The first slot at or after `at`.
    pub fn at_or_after(&self, at: Timestamp) -> Timestamp {
        let from = at.max(self.since).millis();
        let steps = (from - self.phase_ms).div_euclid(self.interval_ms);
        let slot = self.phase_ms + steps * self.interval_ms;
        Timestamp::from_millis(if slot < from { slot + self.interval_ms } else { slot })
    }

    /// The first slot after `at`.
    pub fn after(&self, at: Timestamp) -> Timestamp {
        self.at_or_after(Timestamp::from_millis(at.millis() + 1))
    }

    /// The last slot at or before `at`, if there was one yet.
    pub fn at_or_before(&self, at: Timestamp) -> Option<Timestamp> {
        let steps = (at.millis() - self.phase_ms).div_euclid(self.interval_ms);
        let slot = Timestamp::from_millis(self.phase_ms + steps * self.interval_ms);
        (slot >= self.since).then_some(slot)
    }

    /// How many slots lie in `[from, until)`.
    pub fn count(&self, from: Timestamp, until: Timestamp) -> u64 {
        let first = self.at_or_after(from).millis();
        if first >= until.millis() {
            return 0;
        }
        ((until.millis() - 1 - first) / self.interval_ms) as u64 + 1
    }
}

pub fn validate_interval(interval: Duration) -> Result<Duration, Invalid> {
    if interval < SHORTEST || interval > LONGEST {
        return Err(Invalid::new("interval", "must be between 5s and 24h"));
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cadence(id: u128, secs: u64, since: i64) -> Cadence {
        Cadence::new(MonitorId::from_bits(id), Duration::from_secs(secs), Timestamp::from_millis(since))
    }

    proptest! {
        #[test]
        fn slots_are_one_interval_apart_and_never_before_since(id: u128, secs in 5u64..86_400, since in 0i64..1 << 45, later in 0i64..1 << 40) {
            let c = cadence(id, secs, since);
            let at = Timestamp::from_millis(since + later);
            let slot = c.at_or_after(at);
            prop_assert!(slot >= at && slot >= c.since());
            prop_assert!(slot.since(at) < c.interval());
            prop_assert_eq!(c.after(slot), slot + c.interval());
            prop_assert_eq!(c.at_or_before(slot), Some(slot));
            prop_assert_eq!(c.count(slot, slot + c.interval() * 7), 7);
        }

        #[test]
        fn what_is_aligned_is_due_on_the_grid_of_its_minute(id: u128, minutes in 1u64..60, align in 1u64..=60) {
            let align = Duration::from_secs(align);
            let c = cadence(id, minutes * 60, 0).aligned(align);
            prop_assert_eq!(c.interval(), Duration::from_secs(minutes * 60));
            let into = c.at_or_after(Timestamp::EPOCH).millis() - millis(AFTER_THE_MINUTE);
            prop_assert_eq!(into.rem_euclid(millis(c.interval())) % millis(align), 0);
            prop_assert_eq!(cadence(id, minutes * 60, 0).aligned(Duration::ZERO), cadence(id, minutes * 60, 0));
        }

        #[test]
        fn what_is_aligned_to_minutes_and_due_more_often_is_due_then_as_well(id: u128, secs in 5u64..60) {
            let c = cadence(id, secs, 0).aligned(Duration::from_secs(60));
            let then = Timestamp::EPOCH + AFTER_THE_MINUTE;
            prop_assert_eq!(c.at_or_after(then), then);
        }

        #[test]
        fn a_restart_changes_no_slot(id: u128, secs in 5u64..3_600, at in 1i64 << 40..1 << 41) {
            let before = cadence(id, secs, 0);
            let after = cadence(id, secs, at - 1);
            prop_assert_eq!(before.at_or_after(Timestamp::from_millis(at)), after.at_or_after(Timestamp::from_millis(at)));
        }
    }

    #[test]
    fn five_thousand_monitors_spread_over_their_interval() {
        let mut per_second = [0u32; 10];
        for n in 0..5_000u32 {
            let id = MonitorId::new(
                Timestamp::from_millis(1_700_000_000_000 + i64::from(n / 100)),
                [n as u8, (n >> 8) as u8, 3, 4, 5, 6, 7, 8, 9, 1],
            );
            let slot = Cadence::new(id, Duration::from_secs(10), Timestamp::EPOCH)
                .at_or_after(Timestamp::from_millis(1_000_000));
            per_second[(slot.millis() / 1_000 % 10) as usize] += 1;
        }
        assert!(per_second.iter().all(|n| (400..=600).contains(n)), "{per_second:?}");
    }
}
