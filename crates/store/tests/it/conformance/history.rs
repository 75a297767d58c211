use std::time::Duration;

use gazer_domain::cause::Code;
use gazer_domain::guarantee::LATENESS;
use gazer_domain::observation::Phases;
use gazer_domain::period::{Period, Status};
use gazer_domain::verdict::Verdict;
use gazer_store::{CheckRow, Kept};

use crate::world::{MINUTE, World, at};

pub(crate) async fn checks_are_found_by_their_slots(world: World) {
    let (store, team) = (&world.store, world.team);
    let (monitor, other) = (world.monitor("shop").await, world.monitor("other").await);
    for n in 0..5 {
        world.check(&monitor, n, if n == 2 { Verdict::Down } else { Verdict::Up }).await;
        world.check(&other, n, Verdict::Up).await;
    }
    // A new interval in the middle: what came before it is still found.
    let mut settings = monitor.settings.clone();
    settings.interval = Duration::from_secs(30);
    let edited = store.monitor_edit(team, monitor.id, &settings, at(300)).await.unwrap().unwrap();
    for n in 0..3 {
        world.check(&edited, n, Verdict::Slow).await;
    }
    let checks = store.checks(team, monitor.id, None, at(0), at(10_000)).await.unwrap();
    let slots = (0..5).map(|n| world.slot(&monitor, n)).chain((0..3).map(|n| world.slot(&edited, n)));
    let before = slots.clone().filter(|slot| *slot < at(300)).count();
    assert!(before >= 4, "a minute's phase may put the fifth after the edit");
    let wanted = slots.enumerate().filter(|(i, slot)| *i >= 5 || *slot < at(300)).map(|(_, slot)| slot);
    assert_eq!(checks.iter().map(|c| c.slot).collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    assert_eq!(
        checks[2],
        CheckRow {
            slot: world.slot(&monitor, 2),
            lateness: Duration::from_millis(3),
            took: Duration::from_millis(25),
            verdict: Verdict::Down,
            code: Some(Code::ConnectionRefused),
            phases: Phases { connect: 1_200, first_byte: 3_400, ..Phases::default() },
        }
    );
    let (from, until) = (world.slot(&monitor, 1), world.slot(&monitor, 3));
    assert_eq!(store.checks(team, monitor.id, None, from, until).await.unwrap(), checks[1..3]);
}

pub(crate) async fn sparklines_end_now(world: World) {
    let (store, team) = (&world.store, world.team);
    let (one, two) = (world.monitor("one").await, world.monitor("two").await);
    for n in 0..8 {
        world.check(&one, n, Verdict::Up).await;
    }
    world.check(&two, 0, Verdict::Down).await;
    let now = world.slot(&one, 7) + Duration::from_secs(1);
    let lines = store.sparklines(team, &[one.id, two.id, world.id()], now, 3).await.unwrap();
    let slots = lines[&one.id].iter().map(|c| c.slot).collect::<Vec<_>>();
    assert_eq!(slots, (5..8).map(|n| world.slot(&one, n)).collect::<Vec<_>>());
    assert!(!lines.contains_key(&two.id), "its last three slots have no checks");
    let lines = store.sparklines(team, &[two.id], now, 30).await.unwrap();
    assert_eq!(lines[&two.id][0].verdict, Verdict::Down);
    assert!(store.sparklines(team, &[], now, 3).await.unwrap().is_empty());
}

pub(crate) async fn lateness_counts_what_was_missed(world: World) {
    let monitor = world.monitor("shop").await;
    let mut late = world.seen(&monitor, 1, Verdict::Up);
    late.started = late.slot + Duration::from_millis(1_001);
    let mut long = world.seen(&monitor, 4, Verdict::Down);
    long.took = MINUTE * 2;
    world.check(&monitor, 0, Verdict::Up).await;
    world.judge(&late).await;
    // 2 and 3 are missed; 5 is covered by the long check.
    world.judge(&long).await;
    world.check(&monitor, 6, Verdict::Up).await;
    let kept = world.store.lateness(world.team, monitor.id, at(0), at(3_600), LATENESS).await.unwrap();
    assert_eq!(kept, Kept { checks: 4, late: 1, missed: 2 });
    let nobodys = world.store.lateness(world.team, world.id(), at(0), at(3_600), LATENESS).await.unwrap();
    assert_eq!(nobodys, Kept::default());
}

pub(crate) async fn periods_are_the_sum_of_changes(world: World) {
    let monitor = world.monitor("shop").await;
    for (n, verdict) in [(0, Verdict::Up), (1, Verdict::Down), (5, Verdict::Up)] {
        world.check(&monitor, n, verdict).await;
    }
    let slot = |n| world.slot(&monitor, n);
    let all =
        world.store.periods(world.team, &[monitor.id], at(0), at(9_000)).await.unwrap().remove(&monitor.id).unwrap();
    let period = |status, started, ended| Period { status, started, ended };
    let mut wanted = vec![
        period(Status::Up, slot(0), Some(slot(1))),
        period(Status::Down, slot(1), Some(slot(2))),
        period(Status::Unknown, slot(2), Some(slot(5))),
        period(Status::Up, slot(5), None),
    ];
    if slot(0) > at(0) {
        wanted.insert(0, period(Status::Unknown, at(0), Some(slot(0))));
    }
    assert_eq!(all, wanted);
    let some = world.store.periods(world.team, &[monitor.id], slot(3), slot(4)).await.unwrap();
    assert_eq!(some[&monitor.id], [period(Status::Unknown, slot(2), Some(slot(5)))]);
}
