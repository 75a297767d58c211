//! What was given up: listed, and sent again by hand, in the order that holds for everything.

use std::time::Duration;

use gazer_domain::alert::Trigger;
use gazer_domain::channel::{About, Story};
use gazer_domain::delivery::{Obstacle, State};
use gazer_domain::incident::EventKind;
use gazer_domain::monitor::Monitor;
use gazer_domain::period::{Change, Status};
use gazer_domain::verdict::Verdict;
use gazer_domain::{DeliveryId, Timestamp};
use gazer_store::{Again, Claimed, DeliveryView, Page, Settled};

use crate::world::{World, at};

const LEASE: Duration = Duration::from_secs(30);

async fn claim(world: &World, now: Timestamp) -> Vec<Claimed> {
    world.store.deliveries_claim(now, LEASE, 50).await.unwrap()
}

fn delivered() -> Settled {
    Settled::Delivered { receipt: "200".into() }
}

/// Everything that is due is refused for good, one message every second.
async fn refuse_all(world: &World, second: u64) {
    for (n, claimed) in claim(world, at(second)).await.iter().enumerate() {
        assert!(world.settle(claimed, &Settled::Dead { why: "410 Gone".into() }, at(second + n as u64)).await);
    }
}

async fn dead(world: &World) -> Vec<DeliveryView> {
    world.store.deliveries_dead(world.team, &Page::first(50)).await.unwrap().rows
}

async fn again(world: &World, id: &DeliveryId, second: u64) -> Option<Again> {
    world.store.delivery_again(world.team, id, at(second)).await.unwrap()
}

async fn states(world: &World, monitor: &Monitor) -> Vec<(EventKind, State)> {
    world.story(monitor.id).await.deliveries.iter().map(|d| (d.event_kind.unwrap(), d.state)).collect()
}

fn story(claimed: &Claimed) -> &Story {
    let About::Incident(story) = &claimed.notice.about else { panic!("{:?} is a test", claimed.notice) };
    story
}

pub(crate) async fn the_dead_are_listed_newest_first(world: World) {
    let channel = world.listener("hook").await;
    let mut monitors = Vec::new();
    for name in ["one", "two", "three"] {
        let monitor = world.monitor(name).await;
        world.check(&monitor, 0, Verdict::Down).await;
        monitors.push(monitor);
    }
    let test = DeliveryId::test(at(1), [3; 10]);
    assert!(world.store.delivery_test(world.team, channel, &test, at(1)).await.unwrap());
    refuse_all(&world, 100).await;
    assert_eq!(world.store.delivery_get(world.team, &test).await.unwrap().unwrap().state, State::Dead);

    let (mut found, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listed = world.store.deliveries_dead(world.team, &page).await.unwrap();
        found.extend(listed.rows);
        let Some(next) = listed.next else { break };
        assert!(Page::is_delivery_cursor(&next));
        page.after = Some(next);
    }
    assert_eq!(found.len(), 3, "tests are no news: {found:?}");
    assert!(found.is_sorted_by(|a, b| a.settled_at > b.settled_at), "{found:?}");
    for row in &found {
        let monitor = monitors.iter().find(|m| Some(&m.settings.name) == row.monitor_name.as_ref()).unwrap();
        let incident = world.story(monitor.id).await.view.incident.id;
        assert_eq!((row.incident, row.event, row.event_kind), (Some(incident), 1, Some(EventKind::Down)));
        assert_eq!((row.channel, row.attempts, row.receipt.as_deref()), (channel, 1, Some("410 Gone")));
        assert_eq!((row.state, row.obstacle), (State::Dead, None));
    }
    let theirs = world.store.deliveries_dead(world.other, &Page::first(9)).await.unwrap();
    assert!(theirs.rows.is_empty());
}

pub(crate) async fn what_was_given_up_is_sent_again_under_its_id(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    let first = claim(&world, at(100)).await.remove(0);
    assert!(world.settle(&first, &Settled::Again { at: at(110), soonest: at(110), why: "503".into() }, at(101)).await);
    let second = claim(&world, at(110)).await.remove(0);
    assert!(world.settle(&second, &Settled::Dead { why: "410".into() }, at(111)).await);

    assert_eq!(again(&world, &first.id, 200).await, Some(Again::Due));
    let twice = Some(Again::Kept(Obstacle::NotDead(State::Waiting)));
    assert_eq!(again(&world, &first.id, 201).await, twice, "pressed twice, sent once");
    let view = world.store.delivery_get(world.team, &first.id).await.unwrap().unwrap();
    assert_eq!((view.state, view.attempts, view.next_at), (State::Waiting, 0, Some(at(200))));
    assert_eq!((view.settled_at, view.receipt), (None, None));
    assert!(dead(&world).await.is_empty());

    let third = claim(&world, at(200)).await.remove(0);
    assert_eq!((&third.id, third.attempts, &third.notice), (&first.id, 0, &first.notice));
    assert!(third.epoch > second.epoch + 1, "whoever held it before is fenced out");
    assert!(!world.settle(&second, &delivered(), at(202)).await);
    assert!(claim(&world, at(202)).await.is_empty());
    assert!(world.settle(&third, &delivered(), at(203)).await);
    world.check(&monitor, 1, Verdict::Up).await;
    let told = [(EventKind::Down, State::Delivered), (EventKind::Recovered, State::Waiting)];
    assert_eq!(states(&world, &monitor).await, told, "whoever is told of the start hears of the end");
    let nobody = world.store.delivery_again(world.other, &first.id, at(300)).await.unwrap();
    assert_eq!((nobody, again(&world, &DeliveryId::from_text("dlv_none"), 300).await), (None, None));
}

/// The site was back before the receiver was: what begins is told first, and what ended follows.
pub(crate) async fn a_start_that_is_sent_again_brings_its_end(world: World) {
    let (told, mute) = (world.listener("told").await, world.channel("mute").await);
    world.rule(&[mute], &[Trigger::Down], Duration::ZERO).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    refuse_all(&world, 100).await;
    world.check(&monitor, 1, Verdict::Up).await;
    assert_eq!(states(&world, &monitor).await, [(EventKind::Down, State::Dead); 2], "nobody was told anything");

    for row in dead(&world).await {
        assert_eq!(again(&world, &row.id, 200).await, Some(Again::Due));
    }
    let view = world.story(monitor.id).await;
    let lines: Vec<_> = view.deliveries.iter().map(|d| (d.event, d.channel, d.state)).collect();
    assert_eq!(lines.len(), 3, "one of them does not hear of ends: {lines:?}");
    assert!(lines.contains(&(2, told, State::Waiting)), "{lines:?}");

    let starts = claim(&world, at(200)).await;
    assert!(starts.len() == 2 && starts.iter().all(|one| story(one).event == EventKind::Down), "{starts:?}");
    assert!(claim(&world, at(201)).await.is_empty(), "no end before its start");
    for start in &starts {
        assert!(world.settle(start, &delivered(), at(201)).await);
    }
    let end = claim(&world, at(202)).await.remove(0);
    let (begun, ended) = (story(&starts[0]), story(&end));
    assert_eq!(end.id, DeliveryId::of(begun.incident, 2, told));
    assert_eq!((ended.event, ended.ended), (EventKind::Recovered, view.view.incident.ended));
    assert_eq!((ended.started, &ended.cause, &ended.link), (begun.started, &begun.cause, &begun.link));
    assert_eq!(end.notice.at, view.events[1].at);
}

pub(crate) async fn a_start_that_dies_once_more_is_merged_into_its_end(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    refuse_all(&world, 100).await;
    world.check(&monitor, 1, Verdict::Up).await;
    let start = dead(&world).await.remove(0).id;
    assert_eq!(again(&world, &start, 200).await, Some(Again::Due));
    refuse_all(&world, 201).await;
    let merged = [(EventKind::Down, State::Merged), (EventKind::Recovered, State::Waiting)];
    assert_eq!(states(&world, &monitor).await, merged);
    refuse_all(&world, 210).await;
    let end = dead(&world).await.remove(0);
    assert_eq!((end.event_kind, dead(&world).await.len()), (Some(EventKind::Recovered), 1));
    assert_eq!(again(&world, &start, 300).await, Some(Again::Kept(Obstacle::NotDead(State::Merged))));
    assert_eq!(again(&world, &end.id, 300).await, Some(Again::Due));
    assert_eq!(claim(&world, at(300)).await.len(), 1, "the end alone, which tells both");
}

pub(crate) async fn nothing_is_sent_behind_later_news(world: World) {
    let channel = world.channel("hook").await;
    world.rule(&[channel], &[Trigger::Slow, Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Slow).await;
    refuse_all(&world, 100).await;
    let slow = dead(&world).await.remove(0).id;
    world.check(&monitor, 1, Verdict::Down).await;
    let kept = Some(Again::Kept(Obstacle::ToldLater));
    assert_eq!(again(&world, &slow, 150).await, kept, "graver news waits, and tells it as well");
    let down = claim(&world, at(200)).await.remove(0);
    assert!(world.settle(&down, &delivered(), at(201)).await);
    assert_eq!(again(&world, &slow, 202).await, kept);
    assert_eq!(again(&world, &down.id, 202).await, Some(Again::Kept(Obstacle::NotDead(State::Delivered))));
    assert_eq!(world.store.deliveries_again(world.team, channel, at(203)).await.unwrap(), Some(0));
    assert_eq!(dead(&world).await.remove(0).obstacle, Some(Obstacle::ToldLater));

    let other = world.monitor("other").await;
    world.check(&other, 0, Verdict::Down).await;
    assert!(world.store.channel_delete(world.team, channel, at(300)).await.unwrap());
    for row in dead(&world).await {
        assert_eq!(row.obstacle, Some(Obstacle::ChannelDeleted));
        assert_eq!(again(&world, &row.id, 301).await, Some(Again::Kept(Obstacle::ChannelDeleted)));
    }
    assert_eq!(world.store.deliveries_again(world.team, channel, at(302)).await.unwrap(), None);
    assert!(claim(&world, at(400)).await.is_empty());
}

pub(crate) async fn a_mended_channel_gets_all_it_missed(world: World) {
    let (mended, other) = (world.channel("mended").await, world.listener("other").await);
    world.rule(&[mended], &[Trigger::Slow, Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
    let (grew, lasts) = (world.monitor("grew").await, world.monitor("lasts").await);
    for (n, verdict) in [(0, Verdict::Slow), (1, Verdict::Down)] {
        world.check(&grew, n, verdict).await;
        refuse_all(&world, 100 + 60 * u64::from(n)).await;
    }
    world.check(&grew, 2, Verdict::Up).await;
    world.check(&lasts, 0, Verdict::Down).await;
    refuse_all(&world, 250).await;
    assert_eq!(dead(&world).await.len(), 5);

    let all = async |team| world.store.deliveries_again(team, mended, at(300)).await.unwrap();
    assert_eq!(all(world.other).await, None);
    assert_eq!(all(world.team).await, Some(3));
    assert_eq!(all(world.team).await, Some(0), "pressed twice");
    assert!(dead(&world).await.iter().all(|row| row.channel == other), "others wait to be asked for");
    let mut told = Vec::new();
    for second in 300.. {
        let claimed = claim(&world, at(second)).await;
        if claimed.is_empty() {
            break;
        }
        for one in &claimed {
            told.push((story(one).monitor_name.clone(), story(one).event));
            assert!(world.settle(one, &delivered(), at(second)).await);
        }
    }
    let of = |name: &str| told.iter().filter(|(of, _)| of == name).map(|(_, kind)| *kind).collect::<Vec<_>>();
    assert_eq!(of("grew"), [EventKind::Slow, EventKind::Down, EventKind::Recovered]);
    assert_eq!(of("lasts"), [EventKind::Down]);
}

/// Two people press at once while a judge has not yet written down that the site is back. They wait for it, for whoever
/// is told of the start by then is to be told of the end.
pub(crate) async fn presses_and_judges_take_turns(world: World) {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    refuse_all(&world, 100).await;
    let id = dead(&world).await.remove(0).id;
    let mut tx = world.store.begin().await.unwrap();
    let mut watches = tx.watches_lock(&[monitor.id]).await.unwrap();
    let back = Change { at: at(120), status: Status::Up };
    tx.turn(watches.get_mut(&monitor.id).unwrap(), back, None, world.id(), at(120)).await.unwrap();

    let mut pressed = std::pin::pin!(async { tokio::join!(again(&world, &id, 121), again(&world, &id, 121)) });
    let early = tokio::time::timeout(Duration::from_millis(300), &mut pressed).await;
    assert!(early.is_err(), "the judge is not done: {early:?}");
    tx.commit().await.unwrap();
    let (a, b) = pressed.await;
    let due = [a, b].into_iter().filter(|pressed| *pressed == Some(Again::Due)).count();
    assert_eq!(due, 1, "{a:?} {b:?}");
    let told = [(EventKind::Down, State::Waiting), (EventKind::Recovered, State::Waiting)];
    assert_eq!(states(&world, &monitor).await, told);

    // Once it is on its way, the end merges it as it merges any other that waits.
    let other = world.monitor("other").await;
    world.check(&other, 3, Verdict::Down).await;
    refuse_all(&world, 400).await;
    let id = world.story(other.id).await.deliveries.remove(0).id;
    assert_eq!(again(&world, &id, 410).await, Some(Again::Due));
    world.check(&other, 5, Verdict::Up).await;
    let merged = [(EventKind::Down, State::Merged), (EventKind::Recovered, State::Waiting)];
    assert_eq!(states(&world, &other).await, merged);
}
