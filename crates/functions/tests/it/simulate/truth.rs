//! What really happens to the sites: the script that Gazer does not know.

use std::sync::Arc;
use std::time::Duration;

use super::faults::{DAY, Stretch};
use super::time::True;
use gazer_testkit::chance::Chance;

/// How a site fails while it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    Refuses,
    /// Takes the connection and never answers.
    Stalls,
    Answers500,
    Resets,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) when: Stretch,
    pub(crate) how: Failing,
}

#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) interval: Duration,
    pub(crate) outages: Arc<[Outage]>,
}

impl Site {
    /// Fails a few times a day, for seconds or for half an hour, and not in the first and last half hour.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let interval = Duration::from_secs([60, 120, 300, 600][chance.between(0, 4) as usize]);
        let count = chance.between(0, 4);
        let mut outages = Vec::new();
        let share = (DAY - 3_600_000) / count.max(1);
        for n in 0..count {
            let length = match chance.between(0, 3) {
                0 => chance.between(1_000, 20_000),
                1 => chance.between(20_000, 600_000),
                _ => chance.between(600_000, 1_800_000),
            };
            let from = 1_800_000 + n * share + chance.between(0, share - length - 1_200_000);
            let how = match chance.between(0, 4) {
                0 => Failing::Refuses,
                1 => Failing::Stalls,
                2 => Failing::Answers500,
                _ => Failing::Resets,
            };
            outages.push(Outage { when: Stretch { from, until: from + length }, how });
        }
        Self { interval, outages: outages.into() }
    }

    pub(crate) fn failing(&self, at: True) -> Option<Failing> {
        self.outages.iter().find(|outage| outage.when.holds(at)).map(|outage| outage.how)
    }
}
