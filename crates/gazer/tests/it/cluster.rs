//! Several processes on one PostgreSQL: one plans, and another takes over where it dies, ends or stands still.

pub(crate) mod machines;
mod regions;
mod roles;
mod script;

use std::time::Duration;

use axum::body::Bytes;
use gazer_domain::Timestamp;
use gazer_testkit::client;
use gazer_testkit::now::now;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::process::Gazer;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use gazer_testkit::until::until;
use http::Request;
use serde_json::json;

use crate::driver::{Driver, owned};

const PATIENCE: Duration = Duration::from_secs(40);
const INTERVAL: Duration = Duration::from_secs(5);
/// What the docs promise. After it, a slot comes within an interval.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// Whether the process says that it has the clock's turn.
async fn has_turn(gazer: &Gazer) -> bool {
    let request = Request::get("/metrics").body(Bytes::new().into()).expect("a request");
    let answer = client::send(gazer.address(), request).await;
    answer.is_ok_and(|answer| answer.text().lines().any(|line| line == "gazer_clock_turn 1"))
}

async fn takes_turn(gazer: &Gazer) {
    let took = until(TAKEN_OVER, async || has_turn(gazer).await).await;
    assert!(took, "nobody took over; it printed {:#?}", gazer.printed().all());
}

/// The site is checked again and again since then, and never twice for one slot.
async fn is_checked(site: &Site, since: Timestamp, times: usize) {
    let hits = site.record().wait_until(|hits| hits.iter().filter(|hit| hit.at > since).count() >= times, PATIENCE);
    let hits: Vec<_> = hits.await.iter().map(|hit| hit.at).collect();
    let closest = hits.windows(2).map(|pair| pair[1].since(pair[0])).min().expect("it was checked more than once");
    assert!(closest > INTERVAL / 2, "one slot was checked twice: {hits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_plans_is_replaced_where_it_dies_or_stands_still() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let cluster = Cluster::start().await;
    let database = cluster.fresh_database().await;
    let mut first = Driver::start(owned().env("GAZER_DATABASE", &database)).await;
    takes_turn(&first.gazer).await;
    first.webhook(&receiver.url()).await;
    let monitor = first.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    first.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PATIENCE).await;
    site.record().clear();

    let beside = Gazer::new(env!("CARGO_BIN_EXE_gazer")).beside(&first.gazer).env("GAZER_DATABASE", &database);
    let second = beside.start().await;
    assert!(!has_turn(&second).await, "the turn is the first one's");
    is_checked(&site, now(), 2).await;

    // It dies while the site is down. The second takes over, and tells.
    site.break_with(Fault::Status(500)).await;
    first.gazer.kill9().await;
    takes_turn(&second).await;
    receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    first.gazer.start().await;

    // The second stands still for longer than its turn lasts, and is woken up again.
    second.freeze().await;
    takes_turn(&first.gazer).await;
    second.thaw().await;
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;
    is_checked(&site, now(), 2).await;
    assert!(has_turn(&first.gazer).await && !has_turn(&second).await, "one of them has the turn");

    // An end in order leaves the turn to the other at once.
    first.gazer.term().await;
    takes_turn(&second).await;
    is_checked(&site, now(), 1).await;
    let kinds: Vec<_> = receiver.received().iter().map(|hook| hook.kind().to_owned()).collect();
    assert_eq!(kinds, ["monitor.down", "monitor.recovered"], "the owner was told once of each");
}
