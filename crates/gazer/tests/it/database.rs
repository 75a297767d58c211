//! PostgreSQL instead of a file: without a folder, and while it goes away.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use serde_json::json;

use crate::driver::{Driver, owned};

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_costs_nobody_a_message() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut cluster = Cluster::start().await;
    let app = Driver::start(owned().env("GAZER_DATABASE", cluster.fresh_database().await)).await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PATIENCE).await;

    cluster.stop().await;
    let before = site.hits().len();
    site.break_with(Fault::Status(500)).await;
    // Checks go on without it, and what they see is kept.
    site.record().wait_until(|hits| hits.len() >= before + 2, PATIENCE).await;
    cluster.start_again().await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    down.verify(&secret).expect("the signature holds");
    let incident = down.json["data"]["incident"]["id"].as_str().expect("an id").to_owned();

    cluster.stop().await;
    site.repair().await;
    let before = site.hits().len();
    site.record().wait_until(|hits| hits.len() > before, PATIENCE).await;
    cluster.start_again().await;
    let up = receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;
    assert_eq!(up.json["data"]["incident"]["id"], incident.as_str());

    let seen = app.get(&format!("/monitors/{monitor}")).await;
    assert_eq!(seen["status"], "up", "{seen}");
    let story = app.get(&format!("/incidents/{incident}")).await;
    assert_eq!(story["events"].as_array().map(Vec::len), Some(2), "{story:#}");
}

/// Where there is a database server and the key is given, nothing lies in a folder; so a process may be anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_given_its_key_keeps_no_folder() {
    let cluster = Cluster::start().await;
    let scratch = tempfile::tempdir().expect("the temp directory is writable");
    let folder = scratch.path().join("data");
    let database = cluster.fresh_database().await;
    let recipe = |key: &str| owned().data_in(&folder).env("GAZER_DATABASE", &database).env("GAZER_KEY", key);
    let [first, other] = [7, 8].map(|byte| BASE64_STANDARD.encode([byte; 32]));
    let app = Driver::start(recipe(&first)).await;
    let (channel, _) = app.webhook("https://hooks.example/").await;
    assert!(!folder.exists());
    drop(app);

    let app = Driver::start(recipe(&first)).await;
    let kept = app.get(&format!("/channels/{channel}")).await;
    assert_eq!(kept["webhook"]["url"], "https://hooks.example/", "the key opens what it sealed");
    drop(app);

    let refused = recipe(&other).refused().await;
    assert!(refused.contains("GAZER_KEY does not open this database"), "{refused}");
    let refused = recipe("c2hvcnQ=").refused().await;
    assert!(refused.contains("GAZER_KEY") && refused.contains("32 bytes"), "{refused}");
    assert!(!folder.exists());
}
