//! Descriptors, disk or database run short: nobody is told what is not so, nothing ends, and all is well again soon
//! after there is enough.
//!
//! What runs short is real: a limit of the kernel's, a file system that is full, a relay that holds answers back.
//! `GAZER_STARVED=1` makes each lack last as long as the release wants it, which `make starved` sets; without it each is
//! the same in small.

use std::time::Duration;

use gazer_testkit::client;
use gazer_testkit::disk::Disk;
use gazer_testkit::now::now;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::proxy::{Passage, Proxy};
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::driver::{Driver, owned, text};

const PATIENCE: Duration = Duration::from_secs(60);
/// Promised from relief until all is well.
const RECOVERY: Duration = Duration::from_secs(60);

/// Whether this run takes its time.
fn large() -> bool {
    std::env::var_os("GAZER_STARVED").is_some_and(|value| !value.is_empty())
}

/// Told of nothing but what was done to the site that the test broke.
fn only_about(receiver: &WebhookReceiver, monitor: &str) {
    for hook in receiver.received() {
        assert_eq!(hook.json["data"]["monitor"]["id"], monitor, "nobody else was down: {}", hook.json);
    }
}

/// 256 open files, and sites that hold a socket each for as long as they may; then not even those 256.
#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_no_site_is_down_that_is_well() {
    let count = if large() { 300 } else { 200 };
    let (site, stalled, receiver) = (Site::http().await, Site::http().await, WebhookReceiver::start().await);
    let mut app = Driver::start(owned().descriptors(256)).await;
    let mut good = Vec::new();
    for n in 0..20 {
        good.push(
            app.monitor(&format!("Good {n}"), &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await,
        );
    }
    stalled.break_with(Fault::Stall).await;
    let slow = json!({"http": {"url": stalled.url(), "timeout": "8s"}, "verify": {"attempts": 0, "gap": "0s"}});
    for n in 0..count {
        app.monitor(&format!("Stalled {n}"), &stalled.url(), slow.clone()).await;
    }
    // From here on: whoever never answers is down, and rightly told; this receiver hears of the good ones only.
    let channel = json!({"name": "Pager", "kind": "webhook", "webhook": {"url": receiver.url()}});
    let channel = app.create("/channels", channel).await;
    let rule = json!({"name": "Good", "monitors": good, "channels": [channel["id"]], "on": ["down", "recovered"], "after": "0s"});
    app.create("/alert-rules", rule).await;

    let lines = app.gazer.printed();
    lines.wait_for(|line| line.contains("could not be made") && line.contains("under way"), PATIENCE).await;
    app.gazer.limit_descriptors(40).await;
    let before = site.hits().len();
    lines.wait_for(|line| line.contains("could not be made") && line.contains("no file descriptor"), PATIENCE).await;
    assert!(app.gazer.is_alive());

    app.gazer.limit_descriptors(256).await;
    stalled.repair().await;
    let relief = Instant::now();
    site.record().wait_until(|hits| hits.len() >= before + 2 * good.len(), RECOVERY).await;
    for id in &good {
        app.until(&format!("/monitors/{id}"), |seen| seen["status"] == "up", RECOVERY).await;
    }
    assert!(relief.elapsed() <= RECOVERY, "it took {:?}", relief.elapsed());
    assert_eq!(receiver.received().len(), 0, "none of the good sites was down: {:#?}", receiver.received());
    site.break_with(Fault::Status(500)).await;
    receiver.wait_until(|hooks| hooks.len() == good.len(), PATIENCE).await;
}

/// Two sites, each seen as up.
async fn watched(app: &Driver, sites: [(&str, &Site); 2]) -> [String; 2] {
    let quick = json!({"verify": {"attempts": 0, "gap": "0s"}});
    let mut monitors = [String::new(), String::new()];
    for (monitor, (name, site)) in monitors.iter_mut().zip(sites) {
        *monitor = app.monitor(name, &site.url(), quick.clone()).await;
    }
    for monitor in &monitors {
        app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PATIENCE).await;
    }
    monitors
}

/// While nothing can be written, what is seen is kept, and told once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_nobody_a_message() {
    let disk = Disk::of_mebibytes(16);
    let (site, well, receiver) = (Site::http().await, Site::http().await, WebhookReceiver::start().await);
    let mut app = Driver::start(owned().data_in(disk.path())).await;
    app.webhook(&receiver.url()).await;
    let [monitor, other] = watched(&app, [("Shop", &site), ("Blog", &well)]).await;

    disk.fill();
    let line = app.gazer.printed().wait_for(|line| line.contains("make room"), PATIENCE).await;
    assert!(line.contains("full"), "{line}");
    site.break_with(Fault::Status(500)).await;
    let seen = site.hits().len();
    let rounds = if large() { 12 } else { 2 };
    site.record().wait_until(|hits| hits.len() >= seen + rounds, PATIENCE * 2).await;
    let (status, problem) = app
        .call(
            Method::POST,
            "/monitors",
            Some(json!({
                "name": "New", "kind": "http", "http": {"url": site.url()}, "interval": "1m",
            })),
        )
        .await;
    assert_eq!(status, 503, "what cannot be kept is not taken: {problem}; {:#?}", app.gazer.printed().all());
    app.get("/monitors").await;
    assert!(app.gazer.is_alive());
    assert_eq!(receiver.received().len(), 0, "what is not written is not told");

    disk.relieve();
    let relief = Instant::now();
    receiver.wait_for(|hook| hook.kind() == "monitor.down", RECOVERY).await;
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", RECOVERY).await;
    app.until(&format!("/monitors/{other}"), |seen| seen["status"] == "up", RECOVERY).await;
    assert!(relief.elapsed() <= RECOVERY, "it took {:?}", relief.elapsed());
    only_about(&receiver, &monitor);
    assert_eq!(receiver.received().len(), 2);
    // It can end and begin again on what it left.
    app.gazer.restart().await;
    app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PATIENCE).await;
}

/// A database whose every answer comes half a minute late.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_answers_late_makes_no_outage_and_hides_none() {
    let late = Duration::from_secs(30);
    let (site, well, receiver) = (Site::http().await, Site::http().await, WebhookReceiver::start().await);
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.address()).await;
    let database = cluster.fresh_database().await;
    let through = database.replace(&cluster.address().to_string(), &proxy.address().to_string());
    let mut app = Driver::start(owned().env("GAZER_DATABASE", through)).await;
    app.webhook(&receiver.url()).await;
    let [monitor, other] = watched(&app, [("Shop", &site), ("Blog", &well)]).await;

    proxy.turn(Passage::Late(late));
    let (began, hits) = (now(), well.hits().len());
    site.break_with(Fault::Status(500)).await;
    for path in ["/healthz", "/api/v1/monitors", "/monitors"] {
        let asked = Instant::now();
        let request =
            http::Request::get(path).header("authorization", app.bearer()).header("cookie", "gazer_session=abc");
        let answer = client::send(app.gazer.address(), request.body(Vec::new().into()).expect("a request")).await;
        let answer = answer.expect("it answers");
        assert!(asked.elapsed() < Duration::from_secs(12), "{path} took {:?}", asked.elapsed());
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
    }
    app.gazer.printed().wait_for(|line| line.contains("does not answer in time"), PATIENCE).await;
    // Checks go on without it.
    well.record().wait_until(|seen| seen.len() >= hits + if large() { 12 } else { 3 }, PATIENCE * 2).await;
    let longest = well.hits().windows(2).map(|pair| pair[1].at.since(pair[0].at)).max().expect("it is checked");
    assert!(longest < Duration::from_secs(8), "a slot was missed since {began:?}: {longest:?}");
    assert!(app.gazer.is_alive());

    proxy.turn(Passage::Open);
    let relief = Instant::now();
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", RECOVERY).await;
    assert_eq!(text(&down.json["data"]["monitor"]["id"]), monitor);
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", RECOVERY).await;
    app.until(&format!("/monitors/{other}"), |seen| seen["status"] == "up", RECOVERY).await;
    assert!(relief.elapsed() <= RECOVERY, "it took {:?}", relief.elapsed());
    only_about(&receiver, &monitor);
}
