//! Each role in a process of its own, over NATS: a story through all of them, and what a loss of each costs.

use std::time::Duration;

use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use serde_json::json;

use super::machines::Machines;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_site_is_told_by_four_processes_of_which_two_know_no_database() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut machines = Machines::start(&["local"]).await;
    let (_, secret) = machines.front.webhook(&receiver.url()).await;
    let auth = json!({"http": {"url": site.url(), "timeout": "1s", "auth": {"kind": "bearer", "token": "s3cret"}}});
    let monitor = machines.front.monitor("Shop", &site.url(), auth).await;
    let path = format!("/monitors/{monitor}");
    machines.front.until(&path, |seen| seen["status"] == "up", PATIENCE).await;
    let hit = site.record().wait_for(|_| true, PATIENCE).await;
    assert_eq!(hit.authorization.as_deref(), Some("Bearer s3cret"), "its secret reached the prober, sealed");

    site.break_with(Fault::Status(503)).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    down.verify(&secret).expect("it is signed with the channel's secret");

    // The bus loses everything while the site is repaired, and each process finds the new one by itself.
    machines.ground.nats.kill9().await;
    machines.ground.nats.wipe();
    site.repair().await;
    machines.ground.nats.start_again().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;

    // Each worker dies while something happens, and comes back.
    machines.workers.probers[0].kill9().await;
    site.break_with(Fault::Status(500)).await;
    machines.workers.probers[0].start().await;
    receiver.wait_until(|hooks| count(hooks, "monitor.down") == 2, PATIENCE).await;
    machines.workers.back.kill9().await;
    site.repair().await;
    machines.workers.back.start().await;
    machines.workers.sender.kill9().await;
    machines.workers.sender.start().await;
    receiver.wait_until(|hooks| count(hooks, "monitor.recovered") == 2, PATIENCE).await;
    let kinds: Vec<_> = receiver.received().iter().map(|hook| hook.kind().to_owned()).collect();
    assert_eq!(kinds, ["monitor.down", "monitor.recovered", "monitor.down", "monitor.recovered"]);
}

fn count(hooks: &[Received], kind: &str) -> usize {
    hooks.iter().filter(|hook| hook.kind() == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_in_order_of_each_process_loses_nothing() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut machines = Machines::start(&["local"]).await;
    let _ = machines.front.webhook(&receiver.url()).await;
    let monitor = machines.front.monitor("Shop", &site.url(), json!({"verify": {"attempts": 0, "gap": "0s"}})).await;
    let path = format!("/monitors/{monitor}");
    machines.front.until(&path, |seen| seen["status"] == "up", PATIENCE).await;
    site.break_with(Fault::Status(503)).await;
    let workers = &mut machines.workers;
    for process in [&mut workers.probers[0], &mut workers.sender, &mut workers.back, &mut machines.front.gazer] {
        assert!(process.term().await.success());
        process.start().await;
    }
    receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;
    assert_eq!(receiver.received().len(), 2, "each was told once");

    // A process starts without the bus, and joins it once it is there.
    machines.ground.nats.kill9().await;
    machines.front.gazer.restart().await;
    machines.front.get(&path).await;
    machines.ground.nats.start_again().await;
    site.break_with(Fault::Status(503)).await;
    receiver.wait_until(|hooks| count(hooks, "monitor.down") == 2, PATIENCE).await;
}
