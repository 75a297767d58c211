use gazer_domain::cadence::AFTER_THE_MINUTE;
use gazer_domain::monitor::Monitor;
use gazer_domain::time::millis;
use gazer_domain::verdict::Verdict;
use gazer_store::{Options, Store};

use crate::world::{MINUTE, World, at};

fn is_on_the_grid(monitor: &Monitor) -> bool {
    let slot = monitor.cadence().at_or_after(monitor.cadence_since);
    slot.millis() % millis(MINUTE) == millis(AFTER_THE_MINUTE)
}

/// Opened anew, with slots on the grid of the minute.
async fn aligned(mut world: World) -> World {
    world.store.close().await;
    world.store = Store::open(Options { align: MINUTE, ..world.options.clone() }).await.unwrap();
    world
}

pub(crate) async fn a_new_grid_moves_slots_from_now_on(world: World) {
    let monitor = world.monitor("shop").await;
    let paused = world.monitor("paused").await;
    world.store.monitor_pause(world.team, paused.id, at(0)).await.unwrap().unwrap();
    for n in 0..5 {
        world.check(&monitor, n, Verdict::Up).await;
    }
    assert_eq!(world.store.realign(at(300)).await.unwrap(), 0, "they lie where they should");

    let world = aligned(world).await;
    let store = &world.store;
    assert_eq!(store.realign(at(300)).await.unwrap(), 2);
    assert_eq!(store.realign(at(301)).await.unwrap(), 0, "once");
    let moved = store.monitor_get(world.team, monitor.id).await.unwrap().unwrap().monitor;
    assert_eq!((moved.align, moved.cadence_since), (MINUTE, at(300)));
    assert!(is_on_the_grid(&moved));
    assert_eq!(store.planned_since(0).await.unwrap().1[0].monitor, moved, "as it is planned");

    let mut tx = store.begin().await.unwrap();
    let watch = tx.watches_lock(&[monitor.id]).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!(watch.policy.cadence, moved.cadence());
    drop(tx);

    for n in 0..3 {
        world.check(&moved, n, Verdict::Slow).await;
    }
    let slots = (0..5).map(|n| world.slot(&monitor, n)).filter(|slot| *slot < at(300));
    let wanted: Vec<_> = slots.chain((0..3).map(|n| world.slot(&moved, n))).collect();
    let checks = store.checks(world.team, monitor.id, None, at(0), at(10_000)).await.unwrap();
    assert_eq!(checks.iter().map(|check| check.slot).collect::<Vec<_>>(), wanted, "also what came before is found");

    let resumed = store.monitor_resume(world.team, paused.id, at(400)).await.unwrap().unwrap();
    assert!(is_on_the_grid(&resumed));
}

pub(crate) async fn a_monitor_of_a_grid_stays_on_it(world: World) {
    let world = aligned(world).await;
    let store = &world.store;
    let made = world.monitor("shop").await;
    let kept = store.monitor_get(world.team, made.id).await.unwrap().unwrap().monitor;
    assert!(is_on_the_grid(&kept), "from its first slot on");
    world.check(&kept, 0, Verdict::Up).await;
    let checks = store.checks(world.team, made.id, None, at(0), at(100)).await.unwrap();
    assert_eq!(checks.len(), 1, "history knows where its slots lie");

    let mut settings = kept.settings.clone();
    settings.interval = MINUTE * 5;
    let edited = store.monitor_edit(world.team, made.id, &settings, at(100)).await.unwrap().unwrap();
    assert!(is_on_the_grid(&edited));
    world.check(&edited, 0, Verdict::Up).await;
    assert_eq!(store.checks(world.team, made.id, None, at(100), at(1_000)).await.unwrap().len(), 1);
    assert_eq!(store.realign(at(2_000)).await.unwrap(), 0);
}
