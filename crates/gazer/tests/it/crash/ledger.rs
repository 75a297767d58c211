//! What really happened, and whether the receiver took all of it and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use gazer_domain::Timestamp;
use gazer_testkit::chance::Chance;
use gazer_testkit::now::now;
use gazer_testkit::order::Order;
use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use serde_json::{Value, json};

use super::{GUARANTEE, LATENESS, PATIENCE};
use crate::driver::{Driver, text};

pub(crate) struct Watched {
    monitor: String,
    site: Site,
}

impl Watched {
    /// So many sites, each seen as up.
    pub(crate) async fn start_all(app: &Driver, count: usize) -> Vec<Self> {
        let mut sites = Vec::new();
        for number in 0..count {
            sites.push(Self::start(app, number).await);
        }
        for site in &sites {
            app.until(&format!("/monitors/{}", site.monitor), |seen| seen["status"] == "up", PATIENCE).await;
        }
        sites
    }

    async fn start(app: &Driver, number: usize) -> Self {
        let site = Site::http().await;
        // A busy machine may keep a good site waiting for a second; that would be an outage that the ledger knows not of.
        let http = json!({"url": site.url(), "timeout": "3s"});
        let more = json!({"http": http, "verify": {"attempts": 0, "gap": "0s"}});
        Self { monitor: app.monitor(&format!("Shop {number}"), &site.url(), more).await, site }
    }
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) kills: usize,
    pub(crate) points: usize,
    pub(crate) incidents: usize,
    pub(crate) messages: usize,
    pub(crate) duplicates: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, points, incidents, messages, duplicates } = self;
        write!(f, "{kills} kills ({points} named instants), {incidents} incidents: ")?;
        write!(f, "{messages} messages, {duplicates} came twice, 0 were lost")
    }
}

/// When each round's outages began, and when all was well again.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rounds: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Ledger {
    /// Each site fails in a way of its own.
    pub(crate) async fn break_all(&mut self, sites: &[Watched], chance: &mut Chance) {
        self.rounds.push((now(), None));
        for site in sites {
            let fault = match chance.between(0, 3) {
                0 => Fault::Refuse,
                1 => Fault::Status(503),
                _ => Fault::Status(500),
            };
            site.site.break_with(fault).await;
        }
    }

    pub(crate) async fn repair_all(&mut self, sites: &[Watched]) {
        self.rounds.last_mut().expect("it broke before").1 = Some(now());
        for site in sites {
            site.site.repair().await;
        }
    }

    /// Waits until as many incidents of each site as there were rounds are told of.
    pub(crate) async fn told(&self, receiver: &WebhookReceiver, sites: &[Watched], kind: &str, rounds: usize) {
        let enough = |received: &[Received]| {
            let mut incidents: HashMap<&str, Vec<&str>> = HashMap::new();
            for hook in received.iter().filter(|hook| hook.kind() == kind) {
                let data = &hook.json["data"];
                let (monitor, incident) = (data["monitor"]["id"].as_str(), data["incident"]["id"].as_str());
                let known = incidents.entry(monitor.unwrap_or_default()).or_default();
                if !known.contains(&incident.unwrap_or_default()) {
                    known.push(incident.unwrap_or_default());
                }
            }
            sites.iter().all(|site| incidents.get(site.monitor.as_str()).is_some_and(|known| known.len() >= rounds))
        };
        receiver.wait_until(enough, PATIENCE).await;
    }

    /// The truth against what was received: each outage once and at its time, and nothing is left in the database that
    /// was not received.
    pub(crate) async fn compare(&self, app: &Driver, received: &[Received], sites: &[Watched]) {
        let mut incidents: BTreeMap<String, BTreeMap<String, (Timestamp, Option<Timestamp>)>> = BTreeMap::new();
        for hook in received {
            let data = &hook.json["data"];
            let time = |name: &str| data["incident"][name].as_str().and_then(Timestamp::parse_rfc3339);
            let started = time("started_at").expect("an incident has a start");
            let known = incidents.entry(text(&data["monitor"]["id"])).or_default();
            let known = known.entry(text(&data["incident"]["id"])).or_insert((started, None));
            assert_eq!(known.0, started, "an incident begins once");
            known.1 = known.1.or(time("ended_at"));
        }
        for site in sites {
            let told = incidents.remove(&site.monitor).unwrap_or_default();
            assert_eq!(told.len(), self.rounds.len(), "{}: one incident per outage: {told:#?}", site.monitor);
            for ((broke, repaired), (id, (started, ended))) in self.rounds.iter().zip(&told) {
                let repaired = repaired.expect("every round ends");
                // It begins and ends with the slot of the check that saw it so, unless that saw it later.
                let is_then = *started + LATENESS >= *broke && *started < repaired + GUARANTEE;
                assert!(is_then, "{id} began at {started}, not at {broke}");
                let is_after = ended.is_some_and(|ended| ended + LATENESS >= repaired);
                assert!(is_after, "{id} ended at {ended:?}, not after {repaired}");
                // What was taken a moment ago may still be on its way to its row.
                let is_settled = |delivery: &Value| delivery["state"] == "delivered" || delivery["state"] == "merged";
                let all = |story: &Value| story["deliveries"].as_array().is_some_and(|all| all.iter().all(is_settled));
                app.until(&format!("/incidents/{id}"), all, PATIENCE).await;
            }
        }
        assert!(incidents.is_empty(), "nobody else is told of: {incidents:#?}");
    }
}

/// Every message is signed and in order. How many came more than once.
pub(crate) fn judge_messages(received: &[Received], secret: &str) -> usize {
    let mut order = Order::default();
    for hook in received {
        hook.verify(secret).expect("the signature holds");
        order.take(hook.id(), &hook.json).expect("messages are in order");
    }
    order.duplicates()
}

/// For who asks why a message came twice: what happened between.
pub(crate) fn twice(received: &[Received], blows: &[(Timestamp, &str)]) -> Vec<String> {
    let mut came: HashMap<&str, Timestamp> = HashMap::new();
    let mut lines = Vec::new();
    for hook in received {
        let Some(before) = came.insert(hook.id(), hook.at) else { continue };
        let between: Vec<_> = blows
            .iter()
            .filter(|(at, _)| *at + LATENESS >= before && *at <= hook.at)
            .map(|(at, what)| format!("{what} at {at}"))
            .collect();
        lines.push(format!("{} came at {before} and at {}: {}", hook.id(), hook.at, between.join(", ")));
    }
    lines
}
