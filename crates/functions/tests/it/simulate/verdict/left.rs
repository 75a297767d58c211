//! What was committed reached its receiver, or was refused by one that is gone, and nothing is left behind.

use std::collections::{BTreeMap, HashMap, HashSet};

use gazer_domain::delivery::State;
use gazer_store::{IncidentFilter, Page, Store};

use super::super::people::TEAM;
use super::super::receivers::{GONE, RECEIVERS, channel};
use super::super::time::True;
use super::{Merged, ON_ITS_WAY, Story, text};

/// Looks through all incidents. Answers with those whose start was merged into their end, by receiver.
pub(super) async fn behind(story: &Story, store: &Store, complaints: &mut Vec<String>) -> Merged {
    let received: HashSet<&str> = story.receipts.iter().map(|receipt| receipt.id.as_str()).collect();
    let refused: HashSet<&str> = story.refusals.iter().map(|refusal| refusal.id.as_str()).collect();
    let mut merged = BTreeMap::new();
    let mut listed_ids = HashSet::new();
    let mut page = Page::first(500);
    loop {
        let listed = store.incident_list(TEAM, IncidentFilter::default(), &page).await.expect("the store answers");
        for view in &listed.rows {
            let id = view.incident.id;
            listed_ids.insert(id.to_string());
            let told = store.incident_get(TEAM, id).await.expect("the store answers").expect("it is listed");
            if told.view.incident.ended.is_none() {
                complaints.push(format!("{id} is still open"));
            }
            for delivery in &told.deliveries {
                let receiver = (0..RECEIVERS).find(|receiver| channel(*receiver) == delivery.channel);
                let receiver = receiver.expect("one of ours");
                let is_settled = match delivery.state {
                    State::Merged => {
                        merged.entry(receiver).or_insert_with(HashSet::new).insert(id.to_string());
                        true
                    }
                    State::Dead => receiver == GONE && refused.contains(delivery.id.as_str()),
                    State::Delivered => received.contains(delivery.id.as_str()),
                    State::Waiting | State::Leased => false,
                };
                if !is_settled {
                    complaints.push(format!("{} is {:?} and was never received", delivery.id, delivery.state));
                }
            }
        }
        let Some(next) = listed.next else { break };
        page.after = Some(next);
    }
    // Those of a monitor that was deleted are gone once they are told. What was only told by its end was merged.
    for receiver in 0..RECEIVERS {
        let heard = story.heard(receiver).into_values().flatten();
        let gone = heard.filter(|heard| heard.down.is_none() && !listed_ids.contains(&heard.incident));
        merged.entry(receiver).or_insert_with(HashSet::new).extend(gone.map(|heard| heard.incident));
    }
    merged
}

/// Who refuses for good is not asked again, and is not told the end of what it would not hear of.
pub(super) fn refused(story: &Story, complaints: &mut Vec<String>) {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut starts: HashMap<String, True> = HashMap::new();
    for refusal in &story.refusals {
        *times.entry(&refusal.id).or_default() += 1;
        let incident = text(&refusal.json["data"]["incident"]["id"]);
        if refusal.json["type"] == "monitor.down" {
            starts.insert(incident, refusal.at);
        } else if starts.get(&incident).is_some_and(|start| start + story.on_its_way(GONE, *start) < refusal.at) {
            complaints.push(format!("{} was told to who had refused the start of {incident}", refusal.id));
        }
    }
    // A refusal that we lost is asked for again.
    let most = if story.faults.spare_messages() && story.faults.crashes == 0 { 1 } else { 4 };
    let often = times.into_iter().filter(|(_, times)| *times > most);
    complaints.extend(often.map(|(id, times)| format!("{id} was refused for good {times} times")));
    let Some(gone) = story.receivers[GONE].gone else { return };
    if story.refusals.is_empty() && story.receipts.iter().any(|receipt| receipt.at > gone + ON_ITS_WAY) {
        complaints.push("nobody asked the one that is gone".to_owned());
    }
}
