use std::time::Duration;

use gazer_domain::alert::{Scope, Trigger};
use gazer_domain::delivery::State;
use gazer_domain::incident::EventKind;
use gazer_domain::verdict::Verdict;
use gazer_store::{IncidentFilter, Page, Settled};

use crate::world::{MINUTE, World, at};

const LEASE: Duration = Duration::from_secs(30);

async fn deliver_all(world: &World, second: u64) -> usize {
    let claimed = world.store.deliveries_claim(at(second), LEASE, 50).await.unwrap();
    for delivery in &claimed {
        let receipt = Settled::Delivered { receipt: "ok".into() };
        assert!(world.settle(delivery, &receipt, at(second)).await);
    }
    claimed.len()
}

pub(crate) async fn a_pause_ends_the_incident_and_tells(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    assert_eq!(deliver_all(&world, 70).await, 1);
    world.store.monitor_pause(world.team, monitor.id, at(80)).await.unwrap();
    let story = world.story(monitor.id).await;
    assert_eq!(story.view.incident.ended, Some(at(80)));
    let told = story.deliveries.iter().map(|d| (d.event_kind, d.state)).collect::<Vec<_>>();
    assert_eq!(told, [(Some(EventKind::Down), State::Delivered), (Some(EventKind::Paused), State::Waiting)]);
    let resumed = world.store.monitor_resume(world.team, monitor.id, at(200)).await.unwrap().unwrap();
    world.check(&resumed, 0, Verdict::Down).await;
    let open = IncidentFilter { monitor: Some(monitor.id), open: Some(true) };
    assert_eq!(world.store.incident_list(world.team, open, &Page::first(9)).await.unwrap().rows.len(), 1);
}

pub(crate) async fn a_deletion_tells_before_it_purges(world: World) {
    let (store, team) = (&world.store, world.team);
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    deliver_all(&world, 70).await;
    assert!(store.monitor_delete(team, monitor.id, at(80)).await.unwrap());
    assert!(!store.monitor_delete(team, monitor.id, at(81)).await.unwrap());
    assert_eq!(store.monitor_get(team, monitor.id).await.unwrap(), None);
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(store.expire(at(90), week, 100).await.unwrap().monitors, 0, "the end is not told yet");
    assert_eq!(world.story(monitor.id).await.events.last().unwrap().kind, EventKind::Deleted);
    assert_eq!(deliver_all(&world, 90).await, 1);
    assert_eq!(store.expire(at(100), week, 100).await.unwrap().monitors, 1);
    let listed = store.incident_list(team, IncidentFilter::default(), &Page::first(9)).await.unwrap();
    assert!(listed.rows.is_empty());
}

pub(crate) async fn incidents_are_listed_newest_first(world: World) {
    let (one, two) = (world.monitor("one").await, world.monitor("two").await);
    for n in 0..3 {
        for monitor in [&one, &two] {
            world.check(monitor, 2 * n, Verdict::Down).await;
            world.check(monitor, 2 * n + 1, Verdict::Up).await;
        }
    }
    world.check(&two, 6, Verdict::Down).await;
    let (mut starts, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listed = world.store.incident_list(world.team, IncidentFilter::default(), &page).await.unwrap();
        starts.extend(listed.rows.iter().map(|view| (view.incident.started, view.incident.id)));
        let Some(next) = listed.next else { break };
        page.after = Some(next);
    }
    let mut sorted = starts.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!((starts.len(), &starts), (7, &sorted));
    let count = async |monitor, open| {
        let filter = IncidentFilter { monitor, open };
        world.store.incident_list(world.team, filter, &Page::first(9)).await.unwrap().rows.len()
    };
    assert_eq!(count(Some(one.id), None).await, 3);
    assert_eq!(count(None, Some(true)).await, 1);
    assert_eq!(count(Some(two.id), Some(false)).await, 3);
}

pub(crate) async fn a_rule_that_waits_fires_only_while_it_lasts(world: World) {
    let store = &world.store;
    let channel = world.channel("patient").await;
    world.rule(&[channel], &[Trigger::Down, Trigger::Recovered], MINUTE * 2).await;
    let (short, long) = (world.monitor("short").await, world.monitor("long").await);
    for monitor in [&short, &long] {
        world.check(monitor, 0, Verdict::Down).await;
    }
    world.check(&short, 1, Verdict::Up).await;
    for n in 1..=2 {
        world.check(&long, n, Verdict::Down).await;
    }
    let due = world.slot(&long, 0) + MINUTE * 2;
    assert_eq!(store.waits_fire(due - Duration::from_millis(1)).await.unwrap(), 0);
    assert_eq!(store.waits_fire(due).await.unwrap(), 1);
    assert_eq!(store.waits_fire(due).await.unwrap(), 0, "once");
    world.check(&long, 3, Verdict::Up).await;
    assert!(world.story(short.id).await.deliveries.is_empty(), "never fired, so no recovery either");
    let told = world.story(long.id).await.deliveries.iter().map(|d| d.event_kind).collect::<Vec<_>>();
    assert_eq!(told, [Some(EventKind::Down), Some(EventKind::Recovered)]);
}

/// A check that ended before its time says nothing about whether the trouble lasted until then.
pub(crate) async fn what_waits_is_not_told_on_old_news(world: World) {
    let store = &world.store;
    let channel = world.channel("patient").await;
    world.rule(&[channel], &[Trigger::Down, Trigger::Recovered], MINUTE / 2).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    let due = world.slot(&monitor, 0) + MINUTE / 2;
    assert_eq!(store.waits_ask(due - Duration::from_millis(1)).await.unwrap(), 0);
    assert_eq!(store.waits_fire(due).await.unwrap(), 0, "nobody has looked since");
    assert_eq!(store.waits_ask(due).await.unwrap(), 1, "the next slot is half a minute away");
    assert_eq!(store.waits_ask(due).await.unwrap(), 0, "once");
    let asked = store.requests_claim(due).await.unwrap();
    assert_eq!(asked.iter().map(|(_, asked)| *asked).collect::<Vec<_>>(), [monitor.id]);
    let mut answer = world.seen(&monitor, 0, Verdict::Down);
    (answer.slot, answer.started) = (due, due);
    world.judge(&answer).await;
    assert_eq!(store.waits_fire(due + Duration::from_secs(1)).await.unwrap(), 1);
}

pub(crate) async fn while_we_are_blind_nothing_fires(world: World) {
    let store = &world.store;
    let channel = world.channel("patient").await;
    world.rule(&[channel], &[Trigger::Down, Trigger::Recovered], MINUTE * 2).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    // Five slots are missed: it was down for one minute that we saw, and is down again.
    world.check(&monitor, 6, Verdict::Down).await;
    let slot = |n| world.slot(&monitor, n) + Duration::from_secs(1);
    assert_eq!(store.waits_fire(slot(6)).await.unwrap(), 0);
    world.check(&monitor, 7, Verdict::Unknown).await;
    assert_eq!(store.waits_fire(slot(7)).await.unwrap(), 0, "what is unknown does not last");
    world.check(&monitor, 8, Verdict::Down).await;
    assert_eq!(store.waits_fire(slot(8)).await.unwrap(), 1, "five minutes and one more do not count, two others do");
}

/// While it waited its owner took the monitor out of it.
pub(crate) async fn a_rule_that_was_narrowed_fires_no_more(world: World) {
    let store = &world.store;
    let channel = world.channel("patient").await;
    let rule = world.rule(&[channel], &[Trigger::Down, Trigger::Recovered], MINUTE).await;
    let (monitor, other) = (world.monitor("shop").await, world.monitor("other").await);
    world.check(&monitor, 0, Verdict::Down).await;
    let mut settings = store.rule_get(world.team, rule).await.unwrap().unwrap().settings;
    settings.scope = Scope::Some(vec![other.id]);
    store.rule_edit(world.team, rule, &settings).await.unwrap();
    world.check(&monitor, 1, Verdict::Down).await;
    world.check(&monitor, 2, Verdict::Down).await;
    assert_eq!(store.waits_fire(world.slot(&monitor, 2) + MINUTE).await.unwrap(), 0);
    assert!(world.story(monitor.id).await.deliveries.is_empty());
}

/// A rule that is changed or deleted during an incident takes nothing back from whoever it told.
pub(crate) async fn a_promise_to_tell_the_end_is_kept(world: World) {
    let (store, team) = (&world.store, world.team);
    let (kept, mute) = (world.channel("kept").await, world.channel("mute").await);
    let promise = world.rule(&[kept], &[Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
    world.rule(&[mute], &[Trigger::Down], Duration::ZERO).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    assert_eq!(deliver_all(&world, 70).await, 2);
    assert!(store.rule_delete(team, promise).await.unwrap());
    world.check(&monitor, 1, Verdict::Up).await;
    let told = world.story(monitor.id).await.deliveries.iter().map(|d| (d.event, d.channel)).collect::<Vec<_>>();
    assert_eq!(told, [(1, kept), (1, mute), (2, kept)]);
}
