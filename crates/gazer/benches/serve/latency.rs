//! From the start of the failing attempt to the webhook, with verification off.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::json;

use crate::rig::{Rig, percentile};
use crate::targets::Scheme;

const MONITORS: usize = 200;

pub(crate) async fn run() {
    eprintln!("latency: {MONITORS} sites go down at once");
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut rig = Rig::start(Scheme::Http).await;
    let channel = rig
        .create("/api/v1/channels", json!({"name": "Pager", "kind": "webhook", "webhook": {"url": receiver.url()}}))
        .await;
    rig.create(
        "/api/v1/alert-rules",
        json!({"name": "All", "monitors": "all", "channels": [channel["id"]], "on": ["down"], "after": "0s"}),
    )
    .await;
    for number in 0..MONITORS {
        rig.monitor(number, site.url(), Duration::from_secs(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    site.break_with(Fault::Refuse).await;
    let told = receiver.wait_until(|hooks| hooks.len() >= MONITORS, Duration::from_secs(60)).await;
    let mut took = Vec::new();
    for hook in &told {
        let incident = hook.json["data"]["incident"]["id"].as_str().expect("an id");
        let (_, story) =
            rig.gazer.api(Method::GET, &format!("/api/v1/incidents/{incident}"), None, Some(&rig.token)).await;
        let started = story["evidence"][0]["attempts"][0]["started_at"].as_str().and_then(Timestamp::parse_rfc3339);
        took.push(hook.at.since(started.expect("an attempt has a start")).as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    println!(
        "latency: attempt to webhook  p50 {:.0} ms, p95 {:.0} ms, of {}",
        percentile(&took, 0.5),
        percentile(&took, 0.95),
        took.len()
    );
}
