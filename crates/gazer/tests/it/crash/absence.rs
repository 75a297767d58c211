//! PostgreSQL dies while sites break, and again while they come back, and stays away for a while.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::chance::Chance;
use gazer_testkit::now::now;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::receiver::{Received, WebhookReceiver};

use super::ledger::{self, Ledger, Watched};
use super::plan::Size;
use super::report;
use crate::driver::{Driver, owned};

/// What the docs promise: everybody is told by then, once the database is back.
const TOLD_BY: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stays_away_delays_messages_and_loses_none() {
    let size = Size::of_this_run();
    let mut cluster = Cluster::start().await;
    let receiver = WebhookReceiver::start().await;
    let app = Driver::start(owned().env("GAZER_DATABASE", cluster.fresh_database().await)).await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    let sites = Watched::start_all(&app, size.sites).await;

    let mut ledger = Ledger::default();
    cluster.stop().await;
    ledger.break_all(&sites, &mut Chance::new(5, 0)).await;
    tokio::time::sleep(size.absence()).await;
    cluster.start_again().await;
    let began = now();
    ledger.told(&receiver, &sites, "monitor.down", 1).await;

    cluster.stop().await;
    ledger.repair_all(&sites).await;
    tokio::time::sleep(size.absence()).await;
    cluster.start_again().await;
    let ended = now();
    ledger.told(&receiver, &sites, "monitor.recovered", 1).await;

    let received = receiver.received();
    let duplicates = ledger::judge_messages(&received, &secret);
    ledger.compare(&app, &received, &sites).await;
    let last = last(&received, "monitor.down", began).max(last(&received, "monitor.recovered", ended));
    report(&format!(
        "PostgreSQL away for {:?}, twice: {} messages, {duplicates} came twice, 0 were lost, the last {last:?} after its return",
        size.absence(),
        received.len(),
    ));
    // The database may die between an answer and its receipt.
    assert!(duplicates <= 2, "{duplicates} messages came twice");
    assert!(last <= TOLD_BY, "told {last:?} after the return");
}

fn last(received: &[Received], kind: &str, back: Timestamp) -> Duration {
    let told = received.iter().filter(|hook| hook.kind() == kind).map(|hook| hook.at.since(back));
    told.max().expect("they were told")
}
