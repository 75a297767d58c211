//! The truth against what was received, both ways.
//!
//! Each of the files below holds one kind of promise. What came of a day is a list of complaints; each names whom it
//! concerns and when, in milliseconds of true time.

mod asked;
mod fickle;
mod lasts;
mod left;
mod operator;
mod told;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

use gazer_domain::Timestamp;
use gazer_store::Store;
use gazer_testkit::order::Order;
use serde_json::Value;

use super::faults::{Faults, Stretch};
use super::people::People;
use super::receivers::{FALLS, RECEIVERS, Receipt, Receiver, Refusal};
use super::sim::Outcome;
use super::time::{Time, True};

/// Polls, ticks, retries of the receiver and lost packets: how long a message may be on its way.
const ON_ITS_WAY: True = 60_000;
/// A receiver that fails a few times in a row is tried again after 5 s, 30 s, 2 min, 10 min, each a fifth longer at most.
const RETRIED: True = 16 * 60_000;
/// One that failed for 20 minutes is tried again within so long after its return.
const CAME_BACK: True = 40 * 60_000;

/// All that happened in a day.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) people: People,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) cuts: Vec<Stretch>,
    pub(crate) jumps: Vec<Stretch>,
    /// Cuts, crashes, and what is around a jump.
    pub(crate) blind: Vec<Stretch>,
    pub(crate) time: Time,
    pub(crate) faults: Faults,
}

/// What one receiver was told of one incident.
#[derive(Debug)]
struct Heard {
    incident: String,
    url: String,
    /// When it began, as the message says: the clock may have said it twice.
    started: Vec<True>,
    down: Option<True>,
    ended: Option<True>,
}

/// By the ids of monitors, in the order in which they were told.
type ByMonitor = BTreeMap<String, Vec<Heard>>;

pub(crate) async fn compare(story: &Story, store: &Store) -> Outcome {
    let mut complaints = Vec::new();
    let merged = left::behind(story, store, &mut complaints).await;
    let mut duplicates = 0;
    for receiver in 0..RECEIVERS {
        let mut order = Order::merged(merged.get(&receiver).cloned().unwrap_or_default());
        let taken = story.receipts_of(Some(receiver));
        complaints.extend(taken.filter_map(|receipt| order.take(&receipt.id, &receipt.json).err()));
        duplicates += order.duplicates();
    }
    let heard: Vec<ByMonitor> = (0..RECEIVERS).map(|receiver| story.heard(receiver)).collect();
    told::check(story, &heard, &mut complaints);
    lasts::check(story, &heard, &mut complaints);
    fickle::check(story, &heard, &mut complaints);
    left::refused(story, &mut complaints);
    asked::check(story, &mut complaints);
    operator::check(story, &mut complaints);
    let mut trace = DefaultHasher::new();
    for receipt in &story.receipts {
        (receipt.at, receipt.receiver, &receipt.id, receipt.json.to_string()).hash(&mut trace);
    }
    Outcome {
        complaints,
        outages: story.people.watched.iter().map(|one| one.troubles().len()).sum(),
        told: story.receipts.len(),
        duplicates,
        refused: story.refusals.len(),
        episodes: operator::episodes(story),
        trace: trace.finish(),
    }
}

impl Story {
    fn receipts_of(&self, receiver: Option<usize>) -> impl Iterator<Item = &Receipt> {
        self.receipts.iter().filter(move |receipt| receipt.receiver == receiver)
    }

    fn heard(&self, receiver: usize) -> ByMonitor {
        let mut incidents: BTreeMap<(String, String), Heard> = BTreeMap::new();
        for receipt in self.receipts_of(Some(receiver)) {
            let data = &receipt.json["data"];
            let key = (text(&data["monitor"]["id"]), text(&data["incident"]["id"]));
            let heard = incidents.entry(key.clone()).or_insert_with(|| Heard {
                incident: key.1,
                url: text(&data["monitor"]["url"]),
                started: self.meant_by(&data["incident"]["started_at"]),
                down: None,
                ended: None,
            });
            let place = if receipt.json["type"] == "monitor.down" { &mut heard.down } else { &mut heard.ended };
            place.get_or_insert(receipt.at);
        }
        let mut monitors = ByMonitor::new();
        for ((monitor, _), heard) in incidents {
            monitors.entry(monitor).or_default().push(heard);
        }
        // Ids follow a clock that was set back.
        for heard in monitors.values_mut() {
            heard.sort_by_key(|heard| heard.down.or(heard.ended));
        }
        monitors
    }

    fn meant_by(&self, said: &Value) -> Vec<True> {
        let said = Timestamp::parse_rfc3339(&text(said)).expect("an instant");
        self.time.meant_by(said)
    }

    /// How long a message that is written about now may be on its way to this receiver.
    fn on_its_way(&self, receiver: usize, now: True) -> True {
        let usual = if self.faults.spare_messages() { ON_ITS_WAY } else { RETRIED };
        let fell = self.receivers[receiver]
            .falls
            .iter()
            .filter(|fall| receiver == FALLS && fall.touches(now.saturating_sub(CAME_BACK), now + usual));
        fell.map(|fall| (fall.until + CAME_BACK).saturating_sub(now)).max().unwrap_or(0) + usual
    }

    /// How long we were blind in this time, each stretch with its whole length.
    fn hidden(&self, from: True, until: True) -> True {
        self.blind.iter().filter(|blind| blind.touches(from, until)).map(Stretch::length).sum()
    }

    /// By when it is seen that it ended at `until`, where a promise of so long holds: checks may be lost, or blind.
    fn end_seen(&self, until: True, promise: True) -> True {
        until + promise + 2 * self.hidden(until, until + 2 * promise) + self.dropped(promise)
    }

    /// A message that is dropped is one check that never was, or two.
    fn dropped(&self, interval: True) -> True {
        if self.faults.message_dropped == u64::MAX { 0 } else { 3 * interval }
    }

    fn jumped(&self, from: True, until: True) -> bool {
        self.jumps.iter().any(|jump| jump.touches(from, until))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Of each receiver the incidents whose start never got through and was merged into their end.
type Merged = BTreeMap<usize, HashSet<String>>;
