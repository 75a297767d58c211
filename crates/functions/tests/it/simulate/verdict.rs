//! The truth against what the owner received, both ways.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use gazer_domain::delivery::State;
use gazer_domain::{MonitorId, TeamId};
use gazer_store::{IncidentFilter, Page, Store};
use gazer_testkit::order::Order;

use super::faults::{Faults, Stretch};
use super::network::Receipt;
use super::sim::Outcome;
use super::time::True;
use super::truth::Site;

/// Polls, ticks, retries of the receiver and lost packets: how long a message may be on its way.
const ON_ITS_WAY: True = 60_000;
/// A receiver that fails a few times in a row is tried again after 5 s, 30 s, 2 min, 10 min, each a fifth longer at most.
const RETRIED: True = 16 * 60_000;

#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) id: MonitorId,
    pub(crate) site: Site,
    pub(crate) promise: Duration,
}

/// What was received of one incident.
#[derive(Debug, Default)]
struct Heard {
    down: Option<True>,
    ended: Option<True>,
}

pub(crate) async fn compare(
    watched: &[Watched],
    receipts: &[Receipt],
    blind: &[Stretch],
    faults: &Faults,
    store: &Store,
    team: TeamId,
) -> Outcome {
    let mut complaints = Vec::new();
    let merged = undelivered(store, team, receipts, &mut complaints).await;
    let mut order = Order::merged(merged);
    complaints.extend(receipts.iter().filter_map(|receipt| order.take(&receipt.id, &receipt.json).err()));
    let heard = by_monitor(receipts);
    let mut outages = 0;
    for one in watched {
        let incidents = heard.get(&one.id.to_string()).map(Vec::as_slice).unwrap_or_default();
        outages += one.site.outages.len();
        missed(one, incidents, blind, faults, &mut complaints);
        invented(one, incidents, faults, &mut complaints);
    }
    let mut trace = DefaultHasher::new();
    for receipt in receipts {
        (receipt.at, &receipt.id, receipt.json.to_string()).hash(&mut trace);
    }
    Outcome { complaints, outages, told: receipts.len(), duplicates: order.duplicates(), trace: trace.finish() }
}

fn by_monitor(receipts: &[Receipt]) -> BTreeMap<String, Vec<Heard>> {
    let mut incidents: BTreeMap<(String, String), Heard> = BTreeMap::new();
    for receipt in receipts {
        let data = &receipt.json["data"];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let heard = incidents.entry((text(&data["monitor"]["id"]), text(&data["incident"]["id"]))).or_default();
        let place = if receipt.json["type"] == "monitor.down" { &mut heard.down } else { &mut heard.ended };
        place.get_or_insert(receipt.at);
    }
    let mut monitors: BTreeMap<String, Vec<Heard>> = BTreeMap::new();
    for ((monitor, _), heard) in incidents {
        monitors.entry(monitor).or_default().push(heard);
    }
    monitors
}

/// Every outage longer than the guarantee, and than what kept us from looking, is told and ended.
fn missed(one: &Watched, heard: &[Heard], blind: &[Stretch], faults: &Faults, complaints: &mut Vec<String>) {
    for outage in one.site.outages.iter() {
        let when = outage.when;
        let hidden: True = blind.iter().filter(|b| b.touches(when.from, when.until)).map(|b| b.until - b.from).sum();
        // A message that is dropped is one check that never was, or two.
        let dropped = if faults.message_dropped == u64::MAX { 0 } else { 3 * one.site.interval.as_millis() as True };
        let noticed = one.promise.as_millis() as True + 5_000 + hidden * 2 + dropped;
        if when.until - when.from <= noticed {
            continue;
        }
        let told =
            heard.iter().find(|heard| heard.down.is_some_and(|at| (when.from..when.until + RETRIED).contains(&at)));
        let Some(told) = told else {
            complaints.push(format!("{}: {outage:?} was never told", one.id));
            continue;
        };
        // A start that was merged into its end is told by that; one check and one message later it is over.
        let calm = faults.receiver_fails == u64::MAX;
        let on_its_way = if calm { ON_ITS_WAY } else { RETRIED };
        let over = when.until + one.promise.as_millis() as True + hidden_after(when.until, one, blind) + dropped;
        match told.ended {
            Some(at) if at >= when.until && at <= over + on_its_way => {}
            ended => complaints.push(format!("{}: the end of {outage:?} was told at {ended:?}, not by {over}", one.id)),
        }
        let late = told.down.unwrap_or_default().saturating_sub(when.from + noticed);
        if late > on_its_way {
            complaints.push(format!("{}: {outage:?} was told {late} ms late", one.id));
        }
        let times = heard.iter().filter(|heard| heard.down.is_some_and(|at| when.holds(at))).count();
        if calm && times > 1 {
            complaints.push(format!("{}: {outage:?} was told {times} times", one.id));
        }
    }
}

/// What keeps us from seeing that it is over: each stretch twice, for its own length and for finding back.
fn hidden_after(end: True, one: &Watched, blind: &[Stretch]) -> True {
    let soon = end + 2 * one.promise.as_millis() as True;
    blind.iter().filter(|stretch| stretch.touches(end, soon)).map(|stretch| 2 * (stretch.until - stretch.from)).sum()
}

/// Nobody is told of an outage that never was.
fn invented(one: &Watched, heard: &[Heard], faults: &Faults, complaints: &mut Vec<String>) {
    let slack = if faults.receiver_fails == u64::MAX { ON_ITS_WAY } else { RETRIED };
    for heard in heard {
        let Some(at) = heard.down else { continue };
        let real = one.site.outages.iter().any(|outage| outage.when.touches(at.saturating_sub(slack), at + 1));
        if !real {
            complaints.push(format!("{}: told at {at} of an outage that never was", one.id));
        }
    }
}

/// What was committed reached its receiver, and nothing is left behind. Answers with the incidents whose start never got
/// through and was merged into their end.
async fn undelivered(
    store: &Store,
    team: TeamId,
    receipts: &[Receipt],
    complaints: &mut Vec<String>,
) -> HashSet<String> {
    let received: HashSet<&str> = receipts.iter().map(|receipt| receipt.id.as_str()).collect();
    let mut both = HashSet::new();
    let mut page = Page::first(500);
    loop {
        let listed = store.incident_list(team, IncidentFilter::default(), &page).await.expect("the store answers");
        for view in &listed.rows {
            let story =
                store.incident_get(team, view.incident.id).await.expect("the store answers").expect("it is listed");
            if story.view.incident.ended.is_none() {
                complaints.push(format!("{} is still open", view.incident.id));
            }
            for delivery in &story.deliveries {
                if delivery.state == State::Merged {
                    both.insert(view.incident.id.to_string());
                } else if !received.contains(delivery.id.as_str()) {
                    complaints.push(format!("{} is {:?} and was never received", delivery.id, delivery.state));
                }
            }
        }
        let Some(next) = listed.next else { return both };
        page.after = Some(next);
    }
}
