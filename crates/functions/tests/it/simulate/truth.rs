//! What really happens to the sites, which Gazer does not know, and what people want of their monitors meanwhile.

use std::sync::Arc;
use std::time::Duration;

use gazer_domain::MonitorId;
use gazer_domain::guarantee::{guarantee, longest_check};
use gazer_domain::monitor::{Settings, Spec};
use gazer_testkit::chance::Chance;

use super::faults::{DAY, Stretch};
use super::time::True;

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
    pub(crate) outages: Arc<[Outage]>,
}

impl Site {
    /// Fails a few times a day, for seconds or for half an hour, and not in the first and last half hour.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
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
        Self { outages: outages.into() }
    }

    pub(crate) fn failing(&self, at: True) -> Option<Failing> {
        self.outages.iter().find(|outage| outage.when.holds(at)).map(|outage| outage.how)
    }
}

/// Of a monitor: for a while it was watched like this.
#[derive(Debug, Clone)]
pub(crate) struct Reign {
    pub(crate) when: Stretch,
    pub(crate) url: String,
    pub(crate) site: Site,
    pub(crate) interval: True,
    pub(crate) promise: True,
    pub(crate) longest_check: True,
    /// What ending an outage takes beyond the first good check.
    pub(crate) recovery: True,
}

/// A monitor, and all that was wanted of it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) id: MonitorId,
    /// In order of time. Between them it was paused.
    pub(crate) reigns: Vec<Reign>,
}

/// A stretch in which a site failed while it was watched in one way.
#[derive(Debug)]
pub(crate) struct Trouble<'a> {
    pub(crate) when: Stretch,
    pub(crate) how: Failing,
    pub(crate) reign: &'a Reign,
}

impl Reign {
    pub(crate) fn begin(at: True, settings: &Settings, site: &Site) -> Self {
        let Spec::Http(spec) = &settings.spec;
        let ms = |length: Duration| length.as_millis() as True;
        let again = u64::from(settings.recover_after - 1);
        Self {
            when: Stretch { from: at, until: True::MAX },
            url: spec.url.to_string(),
            site: site.clone(),
            interval: ms(settings.interval),
            promise: ms(guarantee(settings)),
            longest_check: ms(longest_check(settings)),
            recovery: again * ms(settings.interval),
        }
    }

    pub(crate) fn troubles(&self) -> impl Iterator<Item = Trouble<'_>> {
        self.site.outages.iter().filter_map(|outage| {
            let when = outage.when.within(&self.when)?;
            Some(Trouble { when, how: outage.how, reign: self })
        })
    }
}

impl Watched {
    /// In order of time.
    pub(crate) fn troubles(&self) -> Vec<Trouble<'_>> {
        self.reigns.iter().flat_map(Reign::troubles).collect()
    }
}
