//! Which monitors are due, and when the next one is: a heap of slots over the monitors that are not paused.
//!
//! A slot is a pure function of the monitor's cadence, so the heap holds nothing that matters: a restart rebuilds it,
//! and slots that passed meanwhile are not made up for. They are missed, and `audit` says so.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use gazer_bus::{Due, Occasion};
use gazer_domain::cadence::Cadence;
use gazer_domain::monitor::{Brief, Monitor};
use gazer_domain::{MonitorId, Region, TeamId, Timestamp};

#[derive(Debug, Default)]
pub(crate) struct Schedule {
    monitors: HashMap<MonitorId, Scheduled>,
    /// One live entry per monitor; one that was replaced is skipped when it comes up.
    slots: BinaryHeap<Reverse<(Timestamp, MonitorId, Entry)>>,
    entries: Entry,
}

/// Names an entry of the heap: a number that is never given twice.
type Entry = u64;

#[derive(Debug)]
struct Scheduled {
    brief: Arc<Brief>,
    cadence: Cadence,
    cadence_since: Timestamp,
    team: TeamId,
    regions: Arc<[Region]>,
    entry: Entry,
}

/// What is due, and where: every region of a monitor has the same slots.
#[derive(Debug, Clone)]
pub(crate) struct Everywhere {
    pub(crate) due: Due,
    pub(crate) regions: Arc<[Region]>,
}

impl Scheduled {
    fn due(&self, slot: Timestamp, occasion: Occasion) -> Everywhere {
        let due = Due { monitor: Arc::clone(&self.brief), team: self.team, slot, occasion };
        Everywhere { due, regions: Arc::clone(&self.regions) }
    }
}

impl Schedule {
    /// A check out of turn; `None` if nobody watches the monitor.
    pub(crate) fn out_of_turn(&self, monitor: MonitorId, now: Timestamp, occasion: Occasion) -> Option<Everywhere> {
        self.monitors.get(&monitor).map(|known| known.due(now, occasion))
    }

    /// Takes a monitor as it is now; its first slot is the first after `now`. False if it is the one that was known:
    /// a region that came or went makes it no other, and checks nothing out of turn.
    pub(crate) fn put(&mut self, monitor: Monitor, team: TeamId, regions: Vec<Region>, now: Timestamp) -> bool {
        let regions = regions.into();
        if let Some(known) = self.monitors.get_mut(&monitor.id)
            && (known.brief.revision, known.cadence_since) == (monitor.revision, monitor.cadence_since)
        {
            known.regions = regions;
            return false;
        }
        self.entries += 1;
        let (id, cadence, cadence_since) = (monitor.id, monitor.cadence(), monitor.cadence_since);
        self.slots.push(Reverse((cadence.at_or_after(now), id, self.entries)));
        let brief = Arc::new(Brief::from(monitor));
        self.monitors.insert(id, Scheduled { brief, cadence, cadence_since, team, regions, entry: self.entries });
        true
    }

    pub(crate) fn remove(&mut self, monitor: MonitorId) {
        self.monitors.remove(&monitor);
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.slots.peek().map(|Reverse((slot, ..))| *slot)
    }

    /// Everything due at or before `now`, each monitor once: of slots that a pause of ours skipped, only the last.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Everywhere> {
        let mut due = Vec::new();
        while let Some(Reverse((slot, id, entry))) = self.slots.peek().copied() {
            if slot > now {
                break;
            }
            self.slots.pop();
            let Some(known) = self.monitors.get(&id).filter(|known| known.entry == entry) else { continue };
            let cadence = known.cadence;
            let slot = cadence.at_or_before(now).unwrap_or(slot).max(slot);
            self.slots.push(Reverse((cadence.after(slot), id, entry)));
            due.push(known.due(slot, Occasion::Slot));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gazer_domain::Quorum;
    use gazer_domain::http::{HttpSpec, parse_url};
    use gazer_domain::monitor::{Settings, Spec, Verify};

    use super::*;

    const TEAM: TeamId = TeamId::from_bits(1);

    fn monitor(bits: u128, revision: u32) -> Monitor {
        let url = parse_url("http://192.0.2.1/").expect("a URL");
        let settings = Settings {
            name: "Shop".into(),
            spec: Spec::Http(HttpSpec::get(url)),
            interval: Duration::from_secs(10),
            verify: Verify::default(),
            recover_after: 1,
            regions: Vec::new(),
            quorum: Quorum::Majority,
        };
        let id = MonitorId::from_bits(bits);
        Monitor { revision, ..Monitor::new(id, settings, Timestamp::EPOCH) }
    }

    fn here() -> Vec<Region> {
        vec![Region::local()]
    }

    #[test]
    fn a_region_that_comes_is_asked_from_the_next_slot_on() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let mut schedule = Schedule::default();
        schedule.put(monitor(1, 1), TEAM, here(), start);
        let two: Vec<Region> = ["local", "fra"].iter().map(|name| name.parse().expect("a name")).collect();
        assert!(!schedule.put(monitor(1, 1), TEAM, two.clone(), start), "nothing is checked out of turn");
        let due = schedule.due(start + Duration::from_secs(10));
        assert_eq!(due.iter().map(|one| one.regions.to_vec()).collect::<Vec<_>>(), [two]);
    }

    #[test]
    fn each_slot_comes_up_once_and_at_its_instant() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let mut schedule = Schedule::default();
        schedule.put(monitor(1, 1), TEAM, here(), start);
        let first = schedule.next().expect("a slot");
        assert!(schedule.due(first - Duration::from_millis(1)).is_empty());
        assert_eq!(schedule.due(first).len(), 1);
        assert!(schedule.due(first).is_empty());
        assert_eq!(schedule.next(), Some(first + Duration::from_secs(10)));
    }

    #[test]
    fn slots_that_our_own_pause_skipped_are_not_made_up_for() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let mut schedule = Schedule::default();
        schedule.put(monitor(1, 1), TEAM, here(), start);
        let first = schedule.next().expect("a slot");
        let due = schedule.due(first + Duration::from_secs(35));
        assert_eq!(due.iter().map(|one| one.due.slot).collect::<Vec<_>>(), [first + Duration::from_secs(30)]);
    }

    #[test]
    fn a_monitor_that_comes_back_as_it_was_comes_up_once() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let mut schedule = Schedule::default();
        assert!(schedule.put(monitor(1, 1), TEAM, here(), start));
        assert!(!schedule.put(monitor(1, 1), TEAM, here(), start), "nothing changed");
        schedule.remove(MonitorId::from_bits(1));
        assert!(schedule.put(monitor(1, 1), TEAM, here(), start));
        assert_eq!(schedule.due(start + Duration::from_secs(10)).len(), 1);
        assert_eq!(schedule.due(start + Duration::from_secs(20)).len(), 1);
    }

    #[test]
    fn an_edit_replaces_and_a_removal_silences() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let mut schedule = Schedule::default();
        schedule.put(monitor(1, 1), TEAM, here(), start);
        schedule.put(monitor(1, 2), TEAM, here(), start);
        let due = schedule.due(start + Duration::from_secs(10));
        assert_eq!(due.iter().map(|one| one.due.monitor.revision).collect::<Vec<_>>(), [2]);
        schedule.remove(MonitorId::from_bits(1));
        assert!(schedule.due(start + Duration::from_secs(60)).is_empty());
    }
}
