//! The main job, end to end, with the real binary, real sockets and a real receiver.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use gazer_testkit::smtp::{Security, SmtpServer};
use http::Method;
use serde_json::json;

use crate::driver::{Driver, owned, text};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_site_breaks_and_its_owner_is_told_twice() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let app = Driver::start(owned()).await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({})).await;
    let path = format!("/monitors/{monitor}");
    app.until(&path, |seen| seen["status"] == "up", SOON).await;

    site.break_with(Fault::Refuse).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", SOON).await;
    down.verify(&secret).expect("the signature holds");
    assert_eq!(down.json["data"]["monitor"]["id"], monitor);
    assert_eq!(down.json["data"]["incident"]["cause"]["code"], "connection_refused");
    assert!(down.json["data"]["incident"]["ended_at"].is_null());

    // Refused connection at interval 5 s: from the start of the first failing attempt to the webhook at most 4 s.
    let incident = text(&down.json["data"]["incident"]["id"]);
    let story = app.get(&format!("/incidents/{incident}")).await;
    let attempts = story["evidence"][0]["attempts"].as_array().expect("evidence has attempts").clone();
    assert_eq!(attempts.len(), 3, "a first attempt and two that verify it: {story:#}");
    assert!(attempts.iter().all(|attempt| attempt["fault"]["code"] == "connection_refused"), "{story:#}");
    let started = Timestamp::parse_rfc3339(&text(&attempts[0]["started_at"])).expect("a time");
    let took = down.at.since(started);
    assert!(took <= Duration::from_secs(4), "it took {took:?}");

    site.repair().await;
    let up = receiver.wait_for(|hook| hook.kind() == "monitor.recovered", SOON).await;
    up.verify(&secret).expect("the signature holds");
    assert_eq!(text(&up.json["data"]["incident"]["id"]), incident);
    assert!(up.json["data"]["incident"]["ended_at"].is_string());
    assert_ne!(up.id(), down.id());

    let story = app
        .until(
            &format!("/incidents/{incident}"),
            |seen| {
                seen["deliveries"]
                    .as_array()
                    .is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "delivered"))
            },
            SOON,
        )
        .await;
    assert_eq!(story["events"].as_array().map(Vec::len), Some(2), "{story:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_reaches_the_owner_with_the_whole_story() {
    let (site, mail) = (Site::http().await, SmtpServer::start(Security::None).await);
    let recipe = owned()
        .arg("--smtp-url")
        .arg(format!("smtp://{}?tls=none", mail.address()))
        .arg("--smtp-from")
        .arg("gazer@example.com");
    let app = Driver::start(recipe).await;
    let channel =
        app.create("/channels", json!({"name": "Mail", "kind": "email", "email": {"to": ["ann@example.com"]}})).await;
    app.rule(&text(&channel["id"])).await;
    site.break_with(Fault::Status(503)).await;
    app.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    let told = mail.wait_for(|mail| mail.data.contains("Shop"), SOON).await;
    assert!(told.data.contains("503"), "{}", told.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_the_incident_for_whoever_was_told_of_it() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    site.break_with(Fault::Status(500)).await;
    let app = Driver::start(owned()).await;
    app.webhook(&receiver.url()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    receiver.wait_for(|hook| hook.kind() == "monitor.down", SOON).await;
    let (status, paused) = app.call(Method::POST, &format!("/monitors/{monitor}/pause"), None).await;
    assert_eq!((status, &paused["status"]), (200, &json!("paused")), "{paused}");
    let closed = receiver.wait_for(|hook| hook.kind() == "monitor.closed", SOON).await;
    assert_eq!(closed.json["data"]["reason"], "paused", "{}", closed.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_made_when_somebody_asks_for_it() {
    let site = Site::http().await;
    let app = Driver::start(owned()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({"interval": "1h"})).await;
    let path = format!("/monitors/{monitor}");
    app.until(&path, |seen| seen["status"] == "up", SOON).await;
    let (status, seen) = app.call(Method::POST, &format!("{path}/check"), None).await;
    assert_eq!(status, 200, "{seen}");
    assert_eq!(seen["verdict"], "up", "{seen}");
    assert_eq!(site.hits().len(), 2, "one when it was made, one when it was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_resumed_or_edited_is_checked_at_once() {
    let (site, other) = (Site::http().await, Site::http().await);
    other.break_with(Fault::Status(500)).await;
    let app = Driver::start(owned()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({"interval": "24h"})).await;
    let path = format!("/monitors/{monitor}");
    app.until(&path, |seen| seen["status"] == "up", SOON).await;
    app.call(Method::POST, &format!("{path}/pause"), None).await;
    app.call(Method::POST, &format!("{path}/resume"), None).await;
    app.until(&path, |seen| seen["status"] == "up", SOON).await;
    let edit = json!({"http": {"url": other.url()}, "verify": {"attempts": 0, "gap": "0s"}});
    let (status, edited) = app.call(Method::PATCH, &path, Some(edit)).await;
    assert_eq!(status, 200, "{edited}");
    app.until(&path, |seen| seen["status"] == "down", SOON).await;
    assert_eq!((site.hits().len(), other.hits().len()), (2, 1));
}
