//! A site goes down and comes back, and its owner is told, over SNS and Lambda.

use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use serde_json::json;

use crate::stack::{PATIENCE, REGION, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_breaks_is_told_and_told_again_when_it_works() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let stack = Stack::deploy().await;
    let secret = stack.tell(&receiver).await;
    let monitor = stack.watch(&site.url(), "5s").await;
    assert!(stack.outputs().await.contains(&stack.api), "it says where people reach it");
    // Wait until it is planned, in two turns of the clock.
    site.record().wait_until(|hits| hits.len() >= 3, PATIENCE).await;
    assert_eq!(stack.get(&monitor).await["health"][0]["region"], "us-east-1");

    site.break_with(Fault::Status(503)).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    down.verify(&secret).expect("the signature holds");
    let incident = down.json["data"]["incident"]["id"].as_str().unwrap().to_owned();
    site.repair().await;
    let up = receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;
    up.verify(&secret).expect("the signature holds");
    assert_eq!(up.json["data"]["incident"]["id"], incident.as_str());
    assert_eq!(receiver.received().len(), 2, "each is told once");

    let story = stack.get(&format!("/incidents/{incident}")).await;
    assert_eq!(story["cause"]["text"], "the status was 503, expected 100-399", "{story:#}");
    assert_eq!(story["evidence"][0]["attempts"][0]["response"]["status"], 503, "{story:#}");
    assert_eq!(stack.get(&monitor).await["status"], "up");
    stack.nothing_was_put_aside().await;

    stack.osls(&["remove", "--param", "database=given"]).await;
    assert_eq!(stack.left_in(REGION).await, json!({}), "nothing is left");
}
