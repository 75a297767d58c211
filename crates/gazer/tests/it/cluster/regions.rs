//! A monitor in two regions, each with a prober that knows nothing but its region's key.

use std::time::Duration;

use gazer_testkit::ca::Ca;
use gazer_testkit::process::{Gazer, Recipe};
use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::machines::Machines;
use crate::driver::Driver;

const PATIENCE: Duration = Duration::from_secs(60);
const CA: &str = "GAZER_EXTRA_CA";

/// A region in which the site's authority is unknown sees it down.
async fn trusts(prober: &mut Gazer, authority: Option<&NamedTempFile>) {
    prober.set(CA, authority.map(|file| file.path().to_str().expect("a path of text")));
    prober.restart().await;
}

async fn told_of(front: &Driver, trigger: &str) -> WebhookReceiver {
    let receiver = WebhookReceiver::start().await;
    let channel = json!({"name": trigger, "kind": "webhook", "webhook": {"url": receiver.url()}});
    let channel = front.create("/channels", channel).await;
    let rule = json!({"name": trigger, "monitors": "all", "channels": [channel["id"]], "on": [trigger, "recovered"]});
    front.create("/alert-rules", rule).await;
    receiver
}

fn kinds(receiver: &WebhookReceiver) -> Vec<String> {
    receiver.received().iter().map(|hook| hook.kind().to_owned()).collect()
}

fn is(kind: &'static str) -> impl Fn(&Received) -> bool {
    move |hook| hook.kind() == kind
}

fn region(seen: &Value, name: &str) -> Value {
    let regions = seen["health"].as_array().into_iter().flatten();
    regions.into_iter().find(|health| health["region"] == name).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_in_one_region_is_regional_and_in_both_it_is_down() {
    let ca = Ca::new("Shop");
    let site = Site::https(&ca).await;
    let authority = NamedTempFile::new().expect("the temp directory is writable");
    std::fs::write(authority.path(), ca.pem()).expect("the temp directory is writable");
    let mut machines = Machines::start(&["eu", "us"]).await;
    for prober in &mut machines.workers.probers {
        trusts(prober, Some(&authority)).await;
    }
    let front = &machines.front;
    let (down, regional) = (told_of(front, "down").await, told_of(front, "regional").await);
    let more = json!({"verify": {"attempts": 0, "gap": "0s"}, "quorum": "majority"});
    let path = format!("/monitors/{}", front.monitor("Shop", &site.url(), more).await);
    let seen = front.until(
        &path,
        |seen| region(seen, "eu")["status"] == "up" && region(seen, "us")["status"] == "up",
        PATIENCE,
    );
    assert_eq!(seen.await["status"], "up");

    trusts(&mut machines.workers.probers[1], None).await;
    regional.wait_for(is("monitor.regional"), PATIENCE).await;
    let seen = machines.front.get(&path).await;
    assert_eq!((&seen["status"], &region(&seen, "us")["status"]), (&json!("regional"), &json!("down")), "{seen:#}");
    assert_eq!(down.received(), [], "most regions see it up");

    site.break_with(Fault::Refuse).await;
    down.wait_for(is("monitor.down"), PATIENCE).await;
    site.repair().await;
    machines.front.until(&path, |seen| seen["status"] == "regional", PATIENCE).await;

    // A region that falls silent has no vote: what the others say counts.
    machines.workers.probers[1].kill9().await;
    machines.front.until(&path, |seen| seen["status"] == "up", PATIENCE).await;
    regional.wait_for(is("monitor.recovered"), PATIENCE).await;
    down.wait_for(is("monitor.recovered"), PATIENCE).await;
    assert_eq!(kinds(&down).iter().filter(|kind| *kind == "monitor.down").count(), 1);
    assert_eq!(kinds(&regional)[0], "monitor.regional");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_falls_silent_is_told_to_the_operator_and_to_no_tenant() {
    let (operator, owner) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let watched = |front: Recipe| front.env("GAZER_LOOK_EVERY", "2s").env("GAZER_OPERATOR_WEBHOOK", operator.url());
    let mut machines = Machines::start_with(&["eu", "us"], watched).await;
    for prober in &mut machines.workers.probers {
        prober.set("GAZER_LOOK_EVERY", Some("2s"));
        prober.restart().await;
    }
    machines.front.webhook(&owner.url()).await;
    let site = Site::http().await;
    let path = format!("/monitors/{}", machines.front.monitor("Shop", &site.url(), json!({})).await);
    let both = |seen: &Value| region(seen, "eu")["status"] == "up" && region(seen, "us")["status"] == "up";
    machines.front.until(&path, both, PATIENCE).await;
    operator
        .wait_until(
            |news| news.iter().filter(|hook| hook.kind() == "operator.recovered").count() == starts(news),
            PATIENCE,
        )
        .await;
    let before = operator.received().len();

    machines.workers.probers[1].kill9().await;
    let told = operator.wait_until(|news| news.len() > before, PATIENCE).await;
    let told = told[before..].iter().map(|hook| (hook.kind(), &hook.json["data"]));
    let told: Vec<_> =
        told.map(|(kind, data)| (kind.to_owned(), data["region"].clone(), data["cause"]["code"].clone())).collect();
    assert_eq!(told, [("operator.impaired".to_owned(), json!("us"), json!("region_silent"))]);
    machines.workers.probers[1].start().await;
    let ended = operator.wait_until(|news| news.len() > before + 1, PATIENCE).await;
    assert_eq!(
        (ended[before + 1].kind(), &ended[before + 1].json["data"]["region"]),
        ("operator.recovered", &json!("us"))
    );
    assert_eq!(owner.received(), []);
}

/// On a busy machine a region may be late to say its first word.
fn starts(news: &[Received]) -> usize {
    news.iter().filter(|hook| hook.kind() == "operator.impaired").count()
}
