//! A second region, where nothing is deployed but `check`: what is due there and what is seen there crosses over SNS.

use std::collections::BTreeSet;

use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use gazer_testkit::until::until;
use serde_json::{Value, json};

use crate::stack::{PATIENCE, REGION, Stack};

const FURTHER: &str = "eu-west-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_down_once_both_regions_say_so() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut stack = Stack::bare().await;
    stack.write_region_key(FURTHER).await;
    stack.osls(&["deploy", "--param", "database=given", "--param", &format!("regions={FURTHER}")]).await;
    stack.osls_in(FURTHER, "deploy").await;
    stack.enter().await;
    stack.tell(&receiver).await;
    let monitor = stack.watch(&site.url(), "5s").await;
    let both_see = async || {
        let health = stack.get(&monitor).await["health"].take();
        let seen = health.as_array().unwrap().iter().all(|each| each["status"] == "up");
        seen && regions_of(&health) == both()
    };
    assert!(until(PATIENCE, both_see).await, "waited in vain until both regions see it");

    site.break_with(Fault::Status(503)).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    let incident = stack.get(&format!("/incidents/{}", down.json["data"]["incident"]["id"].as_str().unwrap())).await;
    assert_eq!(regions_of(&incident["evidence"]), both(), "{incident:#}");
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;
    assert_eq!(receiver.received().len(), 2, "each is told once");

    stack.osls_in(FURTHER, "remove").await;
    stack.osls(&["remove", "--param", "database=given"]).await;
    for region in [REGION, FURTHER] {
        assert_eq!(stack.left_in(region).await, json!({}), "nothing is left");
    }
}

fn both() -> BTreeSet<String> {
    BTreeSet::from([REGION, FURTHER].map(str::to_owned))
}

fn regions_of(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|each| each["region"].as_str().unwrap().to_owned()).collect()
}
