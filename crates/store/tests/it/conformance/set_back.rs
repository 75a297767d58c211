use std::time::Duration;

use gazer_domain::alert::Trigger;
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_store::Settled;

use crate::world::{MINUTE, World};

const HOUR: Duration = Duration::from_secs(3_600);
const LEASE: Duration = Duration::from_secs(30);

/// The clock was an hour ahead: slots were folded, retries promised and rules made to wait in what is now the future.
pub(crate) async fn an_hour_that_never_was_keeps_nobody_waiting(world: World) {
    let store = &world.store;
    world.listener("hook").await;
    let patient = world.channel("patient").await;
    world.rule(&[patient], &[Trigger::Down], MINUTE * 2).await;
    let monitor = world.monitor("shop").await;
    for (n, verdict) in [(0, Verdict::Up), (60, Verdict::Up), (61, Verdict::Down)] {
        world.check(&monitor, n, verdict).await;
    }
    let ahead = world.slot(&monitor, 61) + Duration::from_secs(1);
    let young = world.monitor("young").await;
    store.monitor_pause(world.team, young.id, ahead).await.unwrap();
    store.monitor_resume(world.team, young.id, ahead).await.unwrap();
    let claimed = store.deliveries_claim(ahead, LEASE, 9).await.unwrap().remove(0);
    let again = Settled::Again {
        at: ahead + Duration::from_secs(5),
        soonest: ahead + Duration::from_secs(5),
        why: "503".into(),
    };
    assert!(world.settle(&claimed, &again, ahead).await);

    let now = ahead - HOUR;
    let by = store.ahead_of(now).await.unwrap();
    assert_eq!(by, HOUR - Duration::from_millis(1), "measured from what was folded last, or would be next");
    store.set_back(now, by).await.unwrap();
    assert_eq!(store.ahead_of(now).await.unwrap(), Duration::ZERO);

    let resumed = store.monitor_get(world.team, young.id).await.unwrap().unwrap().monitor;
    assert_eq!(resumed.cadence_since, now, "its slots begin now, not in an hour");

    assert_eq!(store.waits_fire(now + MINUTE * 3).await.unwrap(), 0, "what was seen in the future confirms nothing");

    // The next slots are folded, the retry is near, and so is the rule that waits.
    world.check(&monitor, 2, Verdict::Down).await;
    let view = store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    assert_eq!((view.status, view.last.unwrap().slot), (Status::Down, world.slot(&monitor, 2)));
    assert_eq!(store.deliveries_claim(now + Duration::from_secs(7), LEASE, 9).await.unwrap().len(), 1);
    world.check(&monitor, 3, Verdict::Down).await;
    world.check(&monitor, 4, Verdict::Down).await;
    assert_eq!(store.waits_fire(world.slot(&monitor, 4)).await.unwrap(), 1);
    world.check(&monitor, 5, Verdict::Up).await;
    assert!(world.story(monitor.id).await.view.incident.ended.is_some());
}

/// Its owner edited, paused and resumed it while the clock was ahead: each of these began a cadence in the future.
pub(crate) async fn a_monitor_that_changed_often_in_that_hour_has_the_last_of_its_cadences(world: World) {
    let store = &world.store;
    let (monitor, paused) = (world.monitor("shop").await, world.monitor("paused").await);
    let now = world.slot(&monitor, 3);
    let ahead = now + HOUR;
    for (n, seconds) in [60, 120, 300].into_iter().enumerate() {
        let mut settings = monitor.settings.clone();
        settings.interval = Duration::from_secs(seconds);
        // The first at the very instant that the clock is set back to.
        let at = if n == 0 { now } else { ahead + MINUTE * n as u32 };
        store.monitor_edit(world.team, monitor.id, &settings, at).await.unwrap();
    }
    for minute in 1..3 {
        store.monitor_pause(world.team, paused.id, ahead + MINUTE * minute).await.unwrap();
        store.monitor_resume(world.team, paused.id, ahead + MINUTE * minute).await.unwrap();
    }
    store.monitor_pause(world.team, paused.id, ahead + MINUTE * 3).await.unwrap();

    store.set_back(now, HOUR).await.unwrap();
    let monitor = store.monitor_get(world.team, monitor.id).await.unwrap().unwrap().monitor;
    assert_eq!((monitor.cadence_since, monitor.settings.interval), (now, MINUTE * 5));
    let later = now + Duration::from_secs(1);
    for id in [monitor.id, paused.id] {
        store.monitor_pause(world.team, id, later).await.unwrap();
        let resumed = store.monitor_resume(world.team, id, later).await.unwrap().unwrap();
        assert_eq!(resumed.cadence_since, later, "it goes on from the present");
    }
}

/// Its last period began while the clock was ahead, and is the present one until that instant has come. What we were
/// blind for is no shorter for it.
pub(crate) async fn time_that_nobody_saw_does_not_count_either(world: World) {
    let store = &world.store;
    let patient = world.channel("patient").await;
    world.rule(&[patient], &[Trigger::Down], MINUTE * 2).await;
    let monitor = world.monitor("shop").await;
    let now = world.slot(&monitor, 1);
    store.monitor_pause(world.team, monitor.id, now + HOUR).await.unwrap();
    store.monitor_resume(world.team, monitor.id, now + HOUR).await.unwrap();
    store.set_back(now, HOUR).await.unwrap();
    let monitor = store.monitor_get(world.team, monitor.id).await.unwrap().unwrap().monitor;
    world.check(&monitor, 0, Verdict::Down).await;
    for n in 1..4 {
        world.check(&monitor, n, Verdict::Unknown).await;
    }
    world.check(&monitor, 4, Verdict::Down).await;
    assert_eq!(
        store.waits_fire(world.slot(&monitor, 4) + MINUTE / 2).await.unwrap(),
        0,
        "of four minutes one was seen"
    );
    world.check(&monitor, 5, Verdict::Down).await;
    assert_eq!(store.waits_fire(world.slot(&monitor, 5) + MINUTE / 2).await.unwrap(), 1);
}
