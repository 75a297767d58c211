//! Killed without warning, again and again, while sites go down and come back: nobody is left untold.

use std::collections::HashMap;
use std::time::Duration;

use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use serde_json::json;

use crate::driver::{Driver, owned, text};

const KILLS: u64 = 25;
/// `interval 5 s + timeout 1 s + lateness 1 s`, no verification: what the monitors guarantee.
const GUARANTEE: Duration = Duration::from_secs(7);
const PATIENCE: Duration = Duration::from_secs(60);

/// One kill per outage, at an instant that differs from outage to outage: before the check, during it, while the
/// message is on its way, and after. Several sites go through it at once, so that 25 kills take a minute or two.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_kills_lose_nothing() {
    let receiver = WebhookReceiver::start().await;
    let mut app = Driver::start(owned()).await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    let mut sites = Vec::new();
    for n in 0..5 {
        let site = Site::http().await;
        let more = json!({"verify": {"attempts": 0, "gap": "0s"}});
        let monitor = app.monitor(&format!("Shop {n}"), &site.url(), more).await;
        app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PATIENCE).await;
        sites.push((monitor, site));
    }
    let mut chance = Chance(0x6761_7a65_7221);
    for outage in 1..=(KILLS as usize / 5) {
        for (_, site) in &sites {
            site.break_with(Fault::Status(500)).await;
        }
        for _ in 0..3 {
            kill(&mut app, &mut chance).await;
        }
        // From here on an outage that is longer than the guarantee has to be noticed.
        tokio::time::sleep(GUARANTEE).await;
        told(&receiver, &sites, "monitor.down", outage).await;
        for (_, site) in &sites {
            site.repair().await;
        }
        for _ in 0..2 {
            kill(&mut app, &mut chance).await;
        }
        told(&receiver, &sites, "monitor.recovered", outage).await;
    }
    check(&receiver.received(), &secret);
}

async fn kill(app: &mut Driver, chance: &mut Chance) {
    tokio::time::sleep(Duration::from_millis(chance.below(2_500))).await;
    app.gazer.kill9().await;
    app.gazer.start().await;
}

async fn told(receiver: &WebhookReceiver, sites: &[(String, Site)], kind: &str, outage: usize) {
    let enough = |received: &[Received]| {
        sites.iter().all(|(monitor, _)| {
            let mut incidents: Vec<_> = received
                .iter()
                .filter(|hook| hook.kind() == kind && hook.json["data"]["monitor"]["id"] == *monitor)
                .map(|hook| text(&hook.json["data"]["incident"]["id"]))
                .collect();
            incidents.sort();
            incidents.dedup();
            incidents.len() >= outage
        })
    };
    receiver.wait_until(enough, PATIENCE).await;
}

/// Every message is signed, no id is used twice for different contents, and no recovery comes before its alert.
fn check(received: &[Received], secret: &str) {
    let mut bodies = HashMap::new();
    let mut down = Vec::new();
    for hook in received {
        hook.verify(secret).expect("the signature holds");
        let known = bodies.entry(hook.id().to_owned()).or_insert_with(|| hook.body.clone());
        assert_eq!(known, &hook.body, "{} says two different things", hook.id());
        let incident = text(&hook.json["data"]["incident"]["id"]);
        match hook.kind() {
            "monitor.down" => down.push(incident),
            _ => assert!(down.contains(&incident), "{incident} ended before its start was told"),
        }
    }
}

/// A small generator (SplitMix64), so that a failing run can be run again.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }
}
