use std::time::Duration;

use gazer_domain::monitor::Monitor;
use gazer_domain::period::{Change, Status};
use gazer_domain::verdict::Verdict;
use gazer_domain::{IncidentId, Timestamp};
use gazer_store::{Installation, Settled, Totals};

use crate::world::{World, at, cause};

const LEASE: Duration = Duration::from_secs(30);

async fn counts(world: &World, now: Timestamp) -> Installation {
    world.store.installation(now).await.unwrap()
}

/// The id says when the incident began, which those of the world's counter do not.
async fn goes_down(world: &World, monitor: &Monitor, now: Timestamp) {
    let mut tx = world.store.begin().await.unwrap();
    let mut watches = tx.watches_lock(&[monitor.id]).await.unwrap();
    let watch = watches.get_mut(&monitor.id).unwrap();
    let change = Change { at: now, status: Status::Down };
    tx.turn(watch, change, cause(Verdict::Down).as_ref(), IncidentId::new(now, [1; 10]), now).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn the_operator_counts_over_all_teams(world: World) {
    let store = &world.store;
    assert_eq!(counts(&world, at(0)).await, Installation::default());
    let hook = world.listener("hook").await;
    assert_eq!(store.channels_of_kind("webhook").await.unwrap(), 1);
    assert_eq!(store.channels_of_kind("email").await.unwrap(), 0);
    for name in ["up", "down", "fresh", "gone", "paused"] {
        let monitor = world.monitor(name).await;
        match name {
            "up" => world.check(&monitor, 0, Verdict::Up).await,
            "down" => goes_down(&world, &monitor, at(90)).await,
            "gone" => assert!(store.monitor_delete(world.team, monitor.id, at(1)).await.unwrap()),
            "paused" => assert!(store.monitor_pause(world.team, monitor.id, at(1)).await.unwrap().is_some()),
            _ => {}
        }
    }
    let theirs = world.new_monitor("theirs");
    store.monitor_create(world.other, &theirs).await.unwrap();

    let monitors = Totals { up: 1, slow: 0, regional: 0, down: 1, unknown: 2, paused: 1 };
    let waiting = Installation { monitors, open_incidents: 1, deliveries_waiting: 1, ..Installation::default() };
    assert_eq!(counts(&world, at(100)).await, waiting);
    let claimed = store.deliveries_claim(at(100), LEASE, 50).await.unwrap().remove(0);
    let leased = Installation { deliveries_waiting: 0, deliveries_leased: 1, ..waiting };
    assert_eq!(counts(&world, at(100)).await, leased);
    let dead = Settled::Dead { why: "410".into() };
    assert!(world.settle(&claimed, &dead, at(101)).await);
    let settled = Installation { deliveries_leased: 0, ..leased };
    assert_eq!(counts(&world, at(102)).await, Installation { deliveries_dead: 1, ..settled });
    assert_eq!(counts(&world, at(8 * 86_400)).await, settled, "an old one is no alarm");
    assert!(store.channel_delete(world.team, hook, at(200)).await.unwrap());
    assert_eq!(store.channels_of_kind("webhook").await.unwrap(), 0);
}
