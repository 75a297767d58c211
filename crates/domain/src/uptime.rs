//! How much of a window a monitor was up: `up / (up + down)`.
//!
//! `slow` and `regional` count as up. `unknown` counts as neither: it widens the bounds, from "all of it was down" to
//! "all of it was up". Paused time is left out.

use std::time::Duration;

use crate::Timestamp;
use crate::period::{Period, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uptime {
    pub up: Duration,
    pub down: Duration,
    pub unknown: Duration,
}

impl Uptime {
    /// Sums what of each period lies in `[from, until)`; the lasting one ends at `until`.
    pub fn of(periods: &[Period], from: Timestamp, until: Timestamp) -> Self {
        let mut sum = Self::default();
        for period in periods {
            let ended = period.ended.unwrap_or(until).min(until);
            let length = ended.since(period.started.max(from));
            match period.status {
                Status::Up | Status::Slow | Status::Regional => sum.up += length,
                Status::Down => sum.down += length,
                Status::Unknown => sum.unknown += length,
                Status::Paused => {}
            }
        }
        sum
    }

    /// Between 0 and 1; `None` while nothing is known.
    pub fn ratio(&self) -> Option<f64> {
        part(self.up, self.up + self.down)
    }

    /// Uptime if all unknown time had been down, and if it had been up.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let all = self.up + self.down + self.unknown;
        Some((part(self.up, all)?, part(self.up + self.unknown, all)?))
    }
}

fn part(of: Duration, all: Duration) -> Option<f64> {
    (!all.is_zero()).then(|| of.as_millis() as f64 / all.as_millis() as f64)
}

/// Never rounds an outage away: `100 %` means exactly that, so 99.9996 shows as `99.999 %`.
pub fn percent(ratio: f64) -> String {
    if ratio >= 1.0 {
        return "100 %".into();
    }
    format!("{:.3} %", (ratio * 100_000.0).floor() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn period(status: Status, from: i64, until: Option<i64>) -> Period {
        Period { status, started: Timestamp::from_millis(from), ended: until.map(Timestamp::from_millis) }
    }

    #[test]
    fn unknown_time_widens_the_bounds_and_moves_nothing_else() {
        let periods = [
            period(Status::Up, 0, Some(900)),
            period(Status::Unknown, 900, Some(950)),
            period(Status::Down, 950, None),
        ];
        let uptime = Uptime::of(&periods, Timestamp::EPOCH, Timestamp::from_millis(1_000));
        assert_eq!(uptime.ratio(), Some(900.0 / 950.0));
        assert_eq!(uptime.bounds(), Some((0.9, 0.95)));
    }

    #[test]
    fn an_outage_is_never_rounded_away() {
        assert_eq!(percent(0.999_999_9), "99.999 %");
        assert_eq!(percent(1.0), "100 %");
    }

    proptest! {
        #[test]
        fn the_ratio_lies_within_its_bounds(up in 1u64..1_000_000, down in 0u64..1_000_000, unknown in 0u64..1_000_000) {
            let ms = Duration::from_millis;
            let uptime = Uptime { up: ms(up), down: ms(down), unknown: ms(unknown) };
            let (ratio, (low, high)) = (uptime.ratio().unwrap(), uptime.bounds().unwrap());
            prop_assert!(low <= ratio + 1e-12 && ratio <= high + 1e-12);
        }
    }
}
