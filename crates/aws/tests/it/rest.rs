//! Whoever plans rests where nothing is due, and is there at once for what people do.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::site::{Hit, Site};
use gazer_testkit::until::until;
use http::Method;
use serde_json::json;

use crate::stack::{PATIENCE, Stack};

const MINUTE: i64 = 60_000;
/// Into each minute, what is aligned is due.
const INTO: i64 = 5_000;
/// The emulator's clock, and its functions, may be late by so much.
const LATE: i64 = 5_000;
/// The emulator starts a function in a fraction of that.
const PROMPT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn who_plans_rests_between_two_instants_and_a_bell_wakes_it() {
    let site = Site::http().await;
    let stack = Stack::deploy().await;
    let made = gazer_testkit::now::now();
    let monitor = stack.watch(&site.url(), "60s").await;
    let hits = site.record().wait_until(|hits| !hits.is_empty(), PROMPT).await;
    assert!(hits[0].at.since(made) < PROMPT, "a new monitor is checked at once, whatever the clock does");

    let hits = site.record().wait_until(|hits| slots(hits).len() >= 2, PATIENCE).await;
    let slots = slots(&hits);
    assert!(slots[1].since(slots[0]) < Duration::from_secs(66), "{slots:?}");
    assert!(until(PATIENCE, async || rests(&stack).await).await, "it is up for nothing");

    let so_far = site.record().len();
    let (status, _) = stack.call(Method::PATCH, &monitor, Some(json!({"name": "Renamed"}))).await;
    assert_eq!(status, 200);
    site.record().wait_until(|hits| hits.len() > so_far, PROMPT).await;
    assert!(until(PATIENCE, async || rests(&stack).await).await, "it rests again");

    // Half a minute and more before the clock comes again, so nobody else plans this.
    let so_far = site.record().len();
    assert_eq!(stack.call(Method::PATCH, &monitor, Some(json!({"interval": "5s"}))).await.0, 200);
    site.record().wait_until(|hits| hits.len() >= so_far + 3, PROMPT * 2).await;

    assert_eq!(stack.call(Method::PATCH, &monitor, Some(json!({"interval": "60s"}))).await.0, 200);
    assert!(until(PATIENCE, async || rests(&stack).await).await, "it rests again");
    stack.nothing_was_put_aside().await;
}

/// The hits that came when they were due.
fn slots(hits: &[Hit]) -> Vec<Timestamp> {
    let is_slot = |at: &Timestamp| (INTO..INTO + LATE).contains(&(at.millis() % MINUTE));
    hits.iter().map(|hit| hit.at).filter(is_slot).collect()
}

/// Nobody has the turn.
async fn rests(stack: &Stack) -> bool {
    stack.query("select until from leases where name = 'clock'").await == "0"
}
