//! What processes share dies while sites break, and again while they come back: PostgreSQL stays away for a while, NATS
//! comes back and has forgotten everything.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_testkit::chance::Chance;
use gazer_testkit::now::now;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::receiver::{Received, WebhookReceiver};

use super::ledger::{self, Ledger, Watched};
use super::plan::Size;
use super::report;
use crate::cluster::machines::Machines;
use crate::driver::{Driver, owned};

/// What the docs promise: everybody is told by then, once the database is back.
const TOLD_BY: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stays_away_delays_messages_and_loses_none() {
    let mut cluster = Cluster::start().await;
    let app = Driver::start(owned().env("GAZER_DATABASE", cluster.fresh_database().await)).await;
    away(&app, &mut cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stays_away_from_many_processes_delays_messages_and_loses_none() {
    let mut machines = Machines::start(&["local"]).await;
    away(&machines.front, &mut machines.ground.postgres).await;
}

/// Twice: while sites break, and while they are repaired.
async fn away(app: &Driver, cluster: &mut Cluster) {
    let size = Size::of_this_run();
    let receiver = WebhookReceiver::start().await;
    let (_, secret) = app.webhook(&receiver.url()).await;
    let sites = Watched::start_all(app, size.sites).await;

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
    ledger.compare(app, &received, &sites).await;
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

/// What the docs promise: what is seen is told as soon as ever, and this much later for one message in a hundred.
const EXTRA: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_forgets_everything_delays_messages_a_little_and_loses_none() {
    let size = Size::of_this_run();
    let mut machines = Machines::start(&["local"]).await;
    let receiver = WebhookReceiver::start().await;
    let (_, secret) = machines.front.webhook(&receiver.url()).await;
    let sites = Watched::start_all(&machines.front, size.sites).await;
    let (mut ledger, mut chance) = (Ledger::default(), Chance::new(7, 0));
    for round in 1..=ROUNDS {
        ledger.break_all(&sites, &mut chance).await;
        forgets(&mut machines, &mut chance).await;
        ledger.told(&receiver, &sites, "monitor.down", round).await;
        ledger.repair_all(&sites).await;
        forgets(&mut machines, &mut chance).await;
        ledger.told(&receiver, &sites, "monitor.recovered", round).await;
    }
    let received = receiver.received();
    let duplicates = ledger::judge_messages(&received, &secret);
    ledger.compare(&machines.front, &received, &sites).await;
    let mut late: Vec<_> = received.iter().map(late).collect();
    late.sort_unstable();
    let p99 = late[(late.len() * 99).div_ceil(100) - 1];
    report(&format!(
        "NATS killed and wiped {} times: {} messages, {duplicates} came twice, 0 were lost, p99 {p99:?} after their check",
        2 * ROUNDS,
        received.len(),
    ));
    assert!(duplicates <= 1, "{duplicates} messages came twice");
    assert!(p99 <= EXTRA, "told {p99:?} after the check that saw it");
}

/// At some moment of the seconds in which checks are due.
async fn forgets(machines: &mut Machines, chance: &mut Chance) {
    tokio::time::sleep(Duration::from_millis(chance.between(0, 4_000))).await;
    let nats = &mut machines.ground.nats;
    nats.kill9().await;
    nats.wipe();
    nats.start_again().await;
}

/// How long after the slot of the check that saw it.
fn late(hook: &Received) -> Duration {
    let at = if hook.kind() == "monitor.down" { "started_at" } else { "ended_at" };
    let seen = hook.json["data"]["incident"][at].as_str().and_then(Timestamp::parse_rfc3339);
    hook.at.since(seen.expect("an incident has its instants"))
}

fn last(received: &[Received], kind: &str, back: Timestamp) -> Duration {
    let told = received.iter().filter(|hook| hook.kind() == kind).map(|hook| hook.at.since(back));
    told.max().expect("they were told")
}
