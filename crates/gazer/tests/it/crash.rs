//! Killed without warning, again and again, while sites go down and come back: nobody is left untold.
//!
//! The real binary watches sites whose outages this test makes, so it knows the truth. It is killed at random moments
//! and at the instants that [`gazer_bus::crash::Point`] names, and started again on what it left. At the end the truth
//! is compared with what a receiver took, both ways.
//!
//! `GAZER_CRASH=kills×incidents` (as in `1000×3000`) is the size, which `make crash` sets.

mod absence;
mod ledger;
mod plan;

use std::io::Write;
use std::time::Duration;

use gazer_testkit::postgres::Cluster;
use gazer_testkit::process::Recipe;
use gazer_testkit::receiver::WebhookReceiver;
use serde_json::json;

use crate::cluster::machines::Ground;
use crate::driver::{Driver, owned, text};
use ledger::{Ledger, Told, Watched};
use plan::{Kills, Size};

/// `interval 5 s + timeout 3 s + lateness 1 s`, no verification: what the monitors guarantee.
const GUARANTEE: Duration = Duration::from_secs(9);
/// How long after its slot a check begins at the latest.
const LATENESS: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing_on_sqlite() {
    bounded(&play(owned(), Kills::random(1)).await);
}

/// A kill between the receiver's answer and its receipt is told twice, by design; by chance it is rare.
fn bounded(told: &Told) {
    assert!(told.duplicates <= (told.messages / 200).max(2), "more than one message in 200 came twice: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing_on_postgresql() {
    let cluster = Cluster::start().await;
    bounded(&play(owned().env("GAZER_DATABASE", cluster.fresh_database().await), Kills::random(2)).await);
}

/// Of two processes one plans. Either is killed, or stands still for longer than its turn lasts.
#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing_in_a_cluster() {
    let cluster = Cluster::start().await;
    let database = cluster.fresh_database().await;
    bounded(&play(owned().env("GAZER_DATABASE", &database), Kills::of_two(4, database)).await);
}

/// Each role in processes of their own: any of them is killed or stands still, the database crashes, and the bus dies
/// and forgets everything.
#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing_over_nats() {
    let ground = Ground::start().await;
    let front = ground.front();
    bounded(&play(front, Kills::of_cluster(6, ground)).await);
}

/// Each instant that matters, several times. What is killed between sending and settling is told twice, by design.
#[cfg(feature = "crash-points")]
#[tokio::test(flavor = "multi_thread")]
async fn kills_at_named_instants_lose_nothing() {
    let told = play(owned(), Kills::named(3)).await;
    // Whether an instant comes up in the seconds after a start is chance; that most do is not.
    assert!(told.points * 2 > gazer_bus::crash::Point::ALL.len(), "too few instants were passed: {told}");
}

async fn play(recipe: Recipe, mut kills: Kills) -> Told {
    let size = Size::of_this_run();
    // What it took is on its disk before it answers.
    let receipts = tempfile::tempdir().expect("a folder for receipts");
    let receiver = WebhookReceiver::recording_to(&receipts.path().join("receipts")).await;
    let mut app = Driver::start(recipe).await;
    kills.stand_by(&app).await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    // Rules that wait are killed as well.
    let patient = WebhookReceiver::start().await;
    let made = app.create("/channels", json!({"name": "Lasts", "kind": "webhook", "webhook": {"url": patient.url()}}));
    let lasts = made.await;
    let rule = json!({"name": "Lasts", "monitors": "all", "channels": [lasts["id"]], "on": ["down"], "after": "3s"});
    app.create("/alert-rules", rule).await;
    let sites = Watched::start_all(&app, size.sites).await;
    let mut ledger = Ledger::default();
    for round in 1..=size.rounds {
        ledger.break_all(&sites, kills.chance()).await;
        kills.some(&mut app, size.kills_per_turn(2 * round - 1)).await;
        // From here on an outage that is longer than the guarantee has to be noticed.
        ledger.told(&receiver, &sites, "monitor.down", round).await;
        ledger.told(&patient, &sites, "monitor.down", round).await;
        ledger.repair_all(&sites).await;
        kills.some(&mut app, size.kills_per_turn(2 * round)).await;
        ledger.told(&receiver, &sites, "monitor.recovered", round).await;
    }
    let duplicates = ledger::judge_messages(&receiver.received(), &secret);
    ledger::judge_messages(&patient.received(), &text(&lasts["webhook"]["secret"]));
    ledger.compare(&app, &receiver.received(), &sites).await;
    let told = Told {
        kills: kills.count,
        points: kills.points.len(),
        incidents: size.rounds * sites.len(),
        messages: receiver.received().len(),
        duplicates,
    };
    report(&told.to_string());
    ledger::twice(&receiver.received(), &kills.blows).iter().take(10).for_each(|line| report(line));
    told
}

/// For who reads the output of a large run.
fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
