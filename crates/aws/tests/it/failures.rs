//! What goes wrong on AWS: messages that come again, that nobody can read, and that come all at once; a function that
//! dies, and a database that is away.

use std::collections::BTreeMap;

use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use gazer_testkit::until::until;
use http::Method;
use serde_json::Value;

use crate::stack::{MOST_CONNECTIONS, PATIENCE, Stack};

/// All topics but that of issues.
const TOPICS: [&str; 6] = ["plan", "check", "judge", "deliver", "send", "settle"];
const BURST: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_what_comes_at_once_and_a_database_that_is_away_change_nothing() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut stack = Stack::deploy().await;
    stack.tap(&TOPICS).await;
    stack.tell(&receiver).await;
    let monitor = stack.watch(&site.url(), "5s").await;
    site.record().wait_until(|hits| hits.len() >= 2, PATIENCE).await;
    break_and_repair(&site, &receiver, 1).await;

    // Messages come again.
    stack.call(Method::POST, &format!("{monitor}/pause"), None).await;
    let before = stack.get("/incidents").await;
    let mut tapped = BTreeMap::new();
    for topic in TOPICS {
        tapped.insert(topic, stack.tapped(topic).await);
        assert!(!tapped[topic].is_empty(), "{topic} was heard");
        stack.publish(topic, &tapped[topic], 2).await;
    }

    assert_eq!(stack.get("/incidents").await, before, "what was known stays");
    assert_eq!(receiver.received().len(), 2, "and was told once");

    // A thousand come at once, and the site breaks behind them.
    stack.call(Method::POST, &format!("{monitor}/resume"), None).await;
    stack.publish("judge", &tapped["judge"][..1], BURST).await;
    let most = most_connections(&stack, break_and_repair(&site, &receiver, 2)).await;
    println!("connections at most: {most:?}");
    assert!(most["gazer-test-judge"] > 1, "the burst was seen: {most:?}");
    assert!(most.values().all(|count| *count <= MOST_CONNECTIONS), "{most:?}");
    assert_eq!(stack.put_aside().await["gazer-test-failed"], 0);

    // The database is away while the site breaks.
    stack.cluster.stop().await;
    let so_far = site.record().len();
    site.break_with(Fault::Status(503)).await;
    site.record().wait_until(|hits| hits.len() > so_far, PATIENCE).await;
    stack.cluster.start_again().await;
    receiver.wait_until(|hooks| hooks.len() == 5, PATIENCE).await;
    site.repair().await;
    let told = receiver.wait_until(|hooks| hooks.len() >= 6, PATIENCE).await;
    let kinds: Vec<_> = told.iter().map(|hook| hook.kind().to_owned()).collect();
    assert_eq!(kinds, ["monitor.down", "monitor.recovered"].repeat(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_cannot_do_is_put_aside_and_is_an_issue_as_its_death_is() {
    let site = Site::http().await;
    let stack = Stack::deploy().await;
    stack.watch(&site.url(), "5s").await;
    stack.publish("judge", &["{\"v\": 1, \"nonsense\": true}".to_owned()], 1).await;
    assert!(
        until(PATIENCE, async || stack.put_aside().await["gazer-test-failed"] == 1).await,
        "waited in vain until it is put aside"
    );
    assert!(
        until(PATIENCE, async || issue(&stack, "judge", "cannot be read").await).await,
        "waited in vain until judge is heard"
    );

    site.record().wait_until(|hits| hits.len() >= 2, PATIENCE).await;
    stack.kill("plan");
    assert!(
        until(PATIENCE, async || issue(&stack, "plan", "process ended").await).await,
        "waited in vain until the death of plan is heard"
    );
    // The next minute has another.
    let so_far = site.record().len();
    site.record().wait_until(|hits| hits.len() >= so_far + 3, PATIENCE).await;
}

/// The site breaks and is repaired for the `nth` time, and both are told.
async fn break_and_repair(site: &Site, receiver: &WebhookReceiver, nth: usize) {
    site.break_with(Fault::Status(503)).await;
    receiver.wait_until(|hooks| hooks.len() == 2 * nth - 1, PATIENCE).await;
    site.repair().await;
    receiver.wait_until(|hooks| hooks.len() == 2 * nth, PATIENCE).await;
}

/// The most that each function had at a time, until this is over.
async fn most_connections(stack: &Stack, over: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let mut most = BTreeMap::new();
    let watched = async {
        loop {
            for (function, count) in stack.connections().await {
                let known = most.entry(function).or_insert(count);
                *known = count.max(*known);
            }
        }
    };
    tokio::select! {
        () = over => {}
        () = watched => {}
    }
    most
}

/// Whether there is an issue of this function that says this.
async fn issue(stack: &Stack, function: &str, says: &str) -> bool {
    let listed: Value = serde_json::from_str(&stack.gazer(&["issues", "--json"]).await).unwrap();
    let mut issues = listed["issues"].as_array().unwrap().iter();
    issues.any(|issue| issue["function"] == function && issue["message"].as_str().unwrap().contains(says))
}
