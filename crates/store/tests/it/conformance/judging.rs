use std::time::Duration;

use gazer_domain::channel::{About, Notice};
use gazer_domain::delivery::State;
use gazer_domain::incident::{EventKind, Trouble};
use gazer_domain::monitor::Monitor;
use gazer_domain::observation::Observation;
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_domain::{DeliveryId, Quorum, Timestamp};
use gazer_store::{Claimed, IncidentFilter, LastCheck, Page, Settled};

use crate::world::{World, at, cause};

const LEASE: Duration = Duration::from_secs(30);

fn story(notice: &Notice) -> &gazer_domain::channel::Story {
    match &notice.about {
        About::Incident(story) => story,
        other => panic!("{other:?} is of no incident"),
    }
}

/// A check that saw what it says so many seconds after its slot.
fn late(world: &World, monitor: &Monitor, n: u32, verdict: Verdict, seconds: u64) -> Observation {
    let seen = world.seen(monitor, n, verdict);
    let started = seen.slot + Duration::from_secs(seconds);
    Observation { started, ..seen }
}

pub(crate) async fn what_was_seen_late_is_told_as_of_then(world: World) {
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Up).await;
    let (down, up) = (late(&world, &monitor, 1, Verdict::Down, 2), late(&world, &monitor, 2, Verdict::Up, 3));
    world.judge(&down).await;
    world.judge(&up).await;
    let story = world.story(monitor.id).await;
    let incident = &story.view.incident;
    assert_eq!((incident.started, incident.ended), (down.started, Some(up.ended())));
    assert_eq!(story.evidence.iter().map(|check| check.slot).collect::<Vec<_>>(), [down.slot]);
    let view = world.store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    assert_eq!((view.status, view.status_since, view.regions[0].since), (Status::Up, up.ended(), up.ended()));
}

/// One of two regions is answered at a later attempt only, and the other fails at that slot still.
pub(crate) async fn what_begins_after_a_late_end_begins_then(world: World) {
    let far = world.region("far").await;
    for (quorum, trouble, down_before) in
        [(Quorum::Majority, Trouble::Regional, true), (Quorum::Any, Trouble::Down, false)]
    {
        let mut monitor = world.new_monitor(trouble.event().as_str());
        monitor.settings.quorum = quorum;
        world.store.monitor_create(world.team, &monitor).await.unwrap();
        world.check(&monitor, 0, Verdict::Down).await;
        world.check_from(&far, &monitor, 0, if down_before { Verdict::Down } else { Verdict::Up }).await;
        let up = late(&world, &monitor, 1, Verdict::Up, 4);
        world.judge(&up).await;
        let down = Observation { took: Duration::from_secs(9), ..world.seen(&monitor, 1, Verdict::Down) };
        world.judge_from(&far, &down).await;
        let filter = IncidentFilter { monitor: Some(monitor.id), open: None };
        let listed = world.store.incident_list(world.team, filter, &Page::first(9)).await.unwrap();
        let [second, first] = &listed.rows[..] else { panic!("{listed:?}") };
        assert_eq!(first.incident.ended, Some(up.ended()));
        assert_eq!((second.incident.trouble, second.incident.started), (trouble, up.ended()));
    }
}

pub(crate) async fn an_outage_is_told_and_ended(world: World) {
    let store = &world.store;
    let channel = world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Up).await;
    world.check(&monitor, 1, Verdict::Down).await;

    let view = store.monitor_get(world.team, monitor.id).await.unwrap().unwrap();
    let down = world.slot(&monitor, 1);
    assert_eq!((view.status, view.status_since), (Status::Down, down));
    let took = Duration::from_millis(25);
    assert_eq!(view.last, Some(LastCheck { slot: down, took, verdict: Verdict::Down }));
    let incident = view.incident.unwrap();

    let claimed = store.deliveries_claim(at(200), LEASE, 10).await.unwrap();
    let [first @ Claimed { id, epoch: 1, attempts: 0, notice, .. }] = &claimed[..] else { panic!("{claimed:?}") };
    assert_eq!(*id, DeliveryId::of(incident, 1, channel));
    let told = story(notice);
    assert_eq!(
        (told.event, told.started, told.ended, &told.cause),
        (EventKind::Down, down, None, &cause(Verdict::Down).unwrap())
    );
    assert_eq!(told.link, format!("https://gazer.example/incidents/{incident}"));
    let delivered = Settled::Delivered { receipt: "200 OK".into() };
    assert!(world.settle(first, &delivered, at(201)).await);

    world.check(&monitor, 2, Verdict::Down).await;
    world.check(&monitor, 3, Verdict::Up).await;
    let claimed = store.deliveries_claim(at(300), LEASE, 10).await.unwrap();
    let told = story(&claimed[0].notice);
    assert_eq!(
        (claimed.len(), told.event, told.started, told.ended),
        (1, EventKind::Recovered, down, Some(world.slot(&monitor, 3)))
    );

    let story = store.incident_get(world.team, incident).await.unwrap().unwrap();
    assert_eq!(story.view.incident.trouble, Trouble::Down);
    assert_eq!(story.view.incident.ended, Some(world.slot(&monitor, 3)));
    assert_eq!(
        story.events.iter().map(|e| (e.number, e.kind)).collect::<Vec<_>>(),
        [(1, EventKind::Down), (2, EventKind::Recovered)]
    );
    assert_eq!(story.evidence.iter().map(|e| e.slot).collect::<Vec<_>>(), [down, world.slot(&monitor, 2)]);
    assert_eq!(story.evidence[0].attempts, world.seen(&monitor, 1, Verdict::Down).attempts);
    let states = story.deliveries.iter().map(|d| (d.event, d.state, d.attempts, d.receipt.as_deref()));
    assert_eq!(states.collect::<Vec<_>>(), [(1, State::Delivered, 1, Some("200 OK")), (2, State::Leased, 0, None)]);
}

pub(crate) async fn the_same_batch_twice_changes_nothing(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    for _ in 0..2 {
        world.check(&monitor, 0, Verdict::Up).await;
        world.check(&monitor, 1, Verdict::Down).await;
    }
    assert_eq!(world.story(monitor.id).await.deliveries.len(), 1);
    let checks = world.store.checks(world.team, monitor.id, None, at(0), at(600)).await.unwrap();
    assert_eq!(checks.iter().map(|c| c.verdict).collect::<Vec<_>>(), [Verdict::Up, Verdict::Down]);
    let again = world.seen(&monitor, 1, Verdict::Up);
    let mut tx = world.store.begin().await.unwrap();
    let watch = tx.watches_lock(&[monitor.id]).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!(tx.checks_append(&[(watch.tracks[0].key, &again)]).await.unwrap(), 0);
    assert_eq!(tx.checks_append(&[]).await.unwrap(), 0);
    tx.health_advance(&[]).await.unwrap();
}

pub(crate) async fn a_dropped_transaction_leaves_nothing(world: World) {
    let monitor = world.monitor("shop").await;
    let seen = world.seen(&monitor, 0, Verdict::Down);
    let mut tx = world.store.begin().await.unwrap();
    let watch = tx.watches_lock(&[monitor.id]).await.unwrap().remove(&monitor.id).unwrap();
    assert_eq!(tx.checks_append(&[(watch.tracks[0].key, &seen)]).await.unwrap(), 1);
    drop(tx);
    assert!(world.store.checks(world.team, monitor.id, None, at(0), at(600)).await.unwrap().is_empty());
    world.check(&monitor, 0, Verdict::Down).await;
    assert_eq!(world.store.checks(world.team, monitor.id, None, at(0), at(600)).await.unwrap().len(), 1);
}

/// Both fold the same check at once: one opens the incident, the other sees it folded.
pub(crate) async fn two_judges_take_turns(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Up).await;
    let seen = world.seen(&monitor, 1, Verdict::Down);
    tokio::join!(world.judge(&seen), world.judge(&seen), world.judge(&seen));
    let listed = world.store.incident_list(world.team, IncidentFilter::default(), &Page::first(9)).await.unwrap();
    assert_eq!(listed.rows.len(), 1);
    assert_eq!(world.story(monitor.id).await.deliveries.len(), 1);
}

pub(crate) async fn slow_grows_into_down(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    for (n, verdict) in [Verdict::Slow, Verdict::Down, Verdict::Slow].into_iter().enumerate() {
        world.check(&monitor, n as u32, verdict).await;
    }
    let listed = world.store.incident_list(world.team, IncidentFilter::default(), &Page::first(9)).await.unwrap();
    let facts = listed.rows.iter().map(|v| (v.incident.trouble, v.incident.events, v.incident.ended.is_some()));
    assert_eq!(facts.collect::<Vec<_>>(), [(Trouble::Slow, 1, false), (Trouble::Down, 3, true)]);
    assert_eq!(listed.rows[1].incident.cause, cause(Verdict::Down).unwrap());
    let first = world.store.incident_get(world.team, listed.rows[1].incident.id).await.unwrap().unwrap();
    let told = first.deliveries.iter().map(|d| (d.event_kind, d.state)).collect::<Vec<_>>();
    assert_eq!(told, [(Some(EventKind::Down), State::Merged), (Some(EventKind::Recovered), State::Waiting)]);
}

pub(crate) async fn evidence_keeps_both_ends(world: World) {
    let monitor = world.monitor("shop").await;
    for n in 0..30 {
        world.check(&monitor, n, Verdict::Down).await;
    }
    let kept = world.story(monitor.id).await.evidence.iter().map(|e| e.slot).collect::<Vec<_>>();
    let wanted = (0..10).chain(20..30).map(|n| world.slot(&monitor, n)).collect::<Vec<Timestamp>>();
    assert_eq!(kept, wanted);
}

pub(crate) async fn the_audit_finds_who_is_overdue(world: World) {
    let (store, monitor) = (&world.store, world.monitor("shop").await);
    let asleep = world.monitor("asleep").await;
    store.monitor_pause(world.team, asleep.id, at(0)).await.unwrap();
    world.check(&monitor, 0, Verdict::Up).await;
    // Interval 60 s, three attempts of 10 s with two gaps of 1 s, and a grace of 5 s.
    let covered = world.slot(&monitor, 0) + Duration::from_millis(3 + 25);
    let overdue = covered + Duration::from_secs(60 + 32 + 5);
    assert!(store.tracks_overdue(overdue, 9).await.unwrap().is_empty());
    assert_eq!(store.tracks_overdue(overdue + Duration::from_millis(1), 9).await.unwrap(), [monitor.id]);
}
