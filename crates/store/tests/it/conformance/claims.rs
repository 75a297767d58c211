use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gazer_domain::alert::Trigger;
use gazer_domain::delivery::State;
use gazer_domain::incident::EventKind;
use gazer_domain::monitor::Monitor;
use gazer_domain::verdict::Verdict;
use gazer_domain::{DeliveryId, Timestamp};
use gazer_store::{Claimed, Settled};

use crate::world::{World, at};

const LEASE: Duration = Duration::from_secs(30);

async fn claim(world: &World, now: Timestamp) -> Vec<Claimed> {
    world.store.deliveries_claim(now, LEASE, 50).await.unwrap()
}

fn delivered() -> Settled {
    Settled::Delivered { receipt: "200".into() }
}

/// Tried again then, and not before.
fn failed(at: Timestamp) -> Settled {
    Settled::Again { at, soonest: at, why: "503".into() }
}

async fn down(world: &World) -> Monitor {
    world.listener("hook").await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    monitor
}

async fn states(world: &World, monitor: &Monitor) -> Vec<(Option<EventKind>, State)> {
    world.story(monitor.id).await.deliveries.iter().map(|d| (d.event_kind, d.state)).collect()
}

pub(crate) async fn an_old_epoch_is_fenced_out(world: World) {
    let store = &world.store;
    down(&world).await;
    let first = claim(&world, at(100)).await.remove(0);
    assert!(claim(&world, at(129)).await.is_empty(), "the lease holds");
    let second = claim(&world, at(130)).await.remove(0);
    assert_eq!((second.id == first.id, first.epoch, second.epoch), (true, 1, 2));
    assert!(!world.settle(&first, &delivered(), at(131)).await);
    let again = failed(at(500));
    assert!(world.settle(&second, &again, at(132)).await);
    assert!(!world.settle(&second, &delivered(), at(133)).await, "settled once");
    let view = store.delivery_get(world.team, &first.id).await.unwrap().unwrap();
    assert_eq!(
        (view.state, view.attempts, view.next_at, view.receipt.as_deref()),
        (State::Waiting, 1, Some(at(500)), Some("503"))
    );
    assert!(claim(&world, at(499)).await.is_empty());
    let third = claim(&world, at(500)).await.remove(0);
    assert_eq!((third.epoch, third.attempts), (3, 1));
    let dead = Settled::Dead { why: "410".into() };
    assert!(world.settle(&third, &dead, at(502)).await);
    assert!(claim(&world, at(1_000)).await.is_empty(), "the dead stay dead");
}

pub(crate) async fn receipts_that_come_together_are_written_together(world: World) {
    for n in 0..3 {
        world.listener(&format!("hook{n}")).await;
    }
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Down).await;
    let stale = claim(&world, at(100)).await.remove(0);
    let claimed = claim(&world, at(130)).await;
    let [first, second, third] = &claimed[..] else { panic!("{claimed:?}") };
    let came = [
        stale.came_to(delivered()),
        first.came_to(failed(at(500))),
        second.came_to(delivered()),
        second.came_to(failed(at(500))),
        third.came_to(Settled::Dead { why: "410 \0".into() }),
    ];
    assert_eq!(
        world.store.deliveries_settle(&came, at(131)).await.unwrap(),
        3,
        "one held no lease, one was answered before"
    );
    let mut states: Vec<_> = states(&world, &monitor).await.into_iter().map(|(_, state)| state.as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, ["dead", "delivered", "waiting"]);
    assert_eq!(world.store.deliveries_settle(&[], at(131)).await.unwrap(), 0);
}

pub(crate) async fn leases_end_where_their_messages_were_lost(world: World) {
    let store = &world.store;
    down(&world).await;
    let lost = claim(&world, at(100)).await.remove(0);
    assert_eq!(store.leases_end(at(120), at(103)).await.unwrap(), 0, "it was claimed after the loss");
    assert_eq!(store.leases_end(at(131), at(103)).await.unwrap(), 1);
    let again = claim(&world, at(103)).await.remove(0);
    assert_eq!((again.id == lost.id, again.epoch), (true, 2));
    assert!(world.settle(&again, &delivered(), at(104)).await);
    assert_eq!(store.leases_end(at(200), at(105)).await.unwrap(), 0, "what is settled stays so");
}

pub(crate) async fn a_recovery_waits_for_its_start(world: World) {
    let monitor = down(&world).await;
    let start = claim(&world, at(100)).await.remove(0);
    world.check(&monitor, 1, Verdict::Up).await;
    assert!(claim(&world, at(121)).await.is_empty(), "the start is on its way");
    assert!(world.settle(&start, &delivered(), at(122)).await);
    assert_eq!(claim(&world, at(123)).await.len(), 1);
    assert_eq!(
        states(&world, &monitor).await,
        [(Some(EventKind::Down), State::Delivered), (Some(EventKind::Recovered), State::Leased)]
    );
}

pub(crate) async fn a_start_that_waits_is_merged(world: World) {
    let monitor = down(&world).await;
    let merged = [(Some(EventKind::Down), State::Merged), (Some(EventKind::Recovered), State::Waiting)];
    world.check(&monitor, 1, Verdict::Up).await;
    assert_eq!(states(&world, &monitor).await, merged);
    assert_eq!(claim(&world, at(200)).await.len(), 1);

    // The same when the start comes back undelivered and finds its recovery in line.
    world.check(&monitor, 2, Verdict::Down).await;
    let start = claim(&world, at(240)).await.into_iter().find(|c| c.epoch == 1).unwrap();
    world.check(&monitor, 3, Verdict::Up).await;
    let again = failed(at(900));
    assert!(world.settle(&start, &again, at(300)).await);
    assert_eq!(states(&world, &monitor).await, merged);
}

pub(crate) async fn a_dead_start_is_not_recovered(world: World) {
    let monitor = down(&world).await;
    let start = claim(&world, at(100)).await.remove(0);
    let dead = Settled::Dead { why: "410 Gone".into() };
    assert!(world.settle(&start, &dead, at(101)).await);
    world.check(&monitor, 1, Verdict::Up).await;
    assert_eq!(states(&world, &monitor).await, [(Some(EventKind::Down), State::Dead)]);
}

pub(crate) async fn a_test_goes_to_its_channel(world: World) {
    let (store, channel) = (&world.store, world.channel("hook").await);
    let id = DeliveryId::test(at(1), [3; 10]);
    assert!(!store.delivery_test(world.other, channel, &id, at(1)).await.unwrap());
    assert!(store.delivery_test(world.team, channel, &id, at(1)).await.unwrap());
    let claimed = claim(&world, at(1)).await;
    assert_eq!(
        (claimed.len(), &claimed[0].id, &claimed[0].notice.about),
        (1, &id, &gazer_domain::channel::About::Test)
    );
    let view = store.delivery_get(world.team, &id).await.unwrap().unwrap();
    assert_eq!((view.event, view.event_kind, view.channel), (0, None, channel));
}

pub(crate) async fn claimants_share_without_overlap(world: World) {
    for n in 0..5 {
        world.listener(&format!("hook{n}")).await;
    }
    for n in 0..4 {
        let monitor = world.monitor(&format!("shop{n}")).await;
        world.check(&monitor, 0, Verdict::Down).await;
    }
    let some = async || world.store.deliveries_claim(at(100), LEASE, 7).await.unwrap();
    let (a, b, c, d) = tokio::join!(some(), some(), some(), some());
    let mut claimed = [a, b, c, d].concat();
    claimed.extend(claim(&world, at(100)).await);
    let ids = claimed.iter().map(|c| c.id.clone()).collect::<HashSet<_>>();
    assert_eq!((claimed.len(), ids.len()), (20, 20));
    assert!(claimed.iter().all(|c| c.epoch == 1));
}

/// The receiver was away when the site became slow, and is back when it goes down: nobody waits for the old news.
pub(crate) async fn graver_news_does_not_wait_behind_older(world: World) {
    let channel = world.channel("hook").await;
    world.rule(&[channel], &[Trigger::Slow, Trigger::Down, Trigger::Recovered], Duration::ZERO).await;
    let monitor = world.monitor("shop").await;
    world.check(&monitor, 0, Verdict::Slow).await;
    let slow = claim(&world, at(100)).await.remove(0);
    world.check(&monitor, 1, Verdict::Down).await;
    assert!(claim(&world, at(125)).await.is_empty(), "the first is still on its way");
    let again = failed(at(4_000));
    assert!(world.settle(&slow, &again, at(126)).await);
    let down = claim(&world, at(127)).await.remove(0);
    let again = failed(at(9_000));
    assert!(world.settle(&down, &again, at(128)).await);
    world.check(&monitor, 2, Verdict::Up).await;
    let merged = [Some(EventKind::Slow), Some(EventKind::Down)].map(|kind| (kind, State::Merged));
    assert_eq!(states(&world, &monitor).await[..2], merged);
    assert_eq!(claim(&world, at(200)).await.len(), 1, "the end tells all of it");
}

/// Its end waited behind it: that goes out alone, and tells both.
pub(crate) async fn a_start_that_dies_is_merged_into_its_end(world: World) {
    let monitor = down(&world).await;
    let start = claim(&world, at(100)).await.remove(0);
    world.check(&monitor, 1, Verdict::Up).await;
    let dead = Settled::Dead { why: "410 Gone".into() };
    assert!(world.settle(&start, &dead, at(130)).await);
    assert_eq!(
        states(&world, &monitor).await,
        [(Some(EventKind::Down), State::Merged), (Some(EventKind::Recovered), State::Waiting)]
    );
}

/// A service that takes its time keeps its own messages waiting, and nobody else's.
pub(crate) async fn a_busy_channel_waits_for_itself(world: World) {
    world.listener("slow").await;
    for n in 0..12 {
        let monitor = world.monitor(&format!("shop{n}")).await;
        world.check(&monitor, 0, Verdict::Down).await;
    }
    world.listener("quick").await;
    let last = world.monitor("last").await;
    world.check(&last, 0, Verdict::Down).await;
    let mut first = world.store.deliveries_claim(at(100), LEASE, 2).await.unwrap();
    assert!(first.iter().any(|c| c.target.label().contains("quick")), "channels take turns");
    first.extend(claim(&world, at(100)).await);
    assert_eq!(first.len(), 8 + 1, "eight to the one, all there are to the other");
    assert!(claim(&world, at(101)).await.is_empty());
    let (slow, quick): (Vec<_>, Vec<_>) = first.iter().partition(|c| c.target.label().contains("slow"));
    for done in slow[..3].iter().chain(&quick) {
        assert!(world.settle(done, &delivered(), at(102)).await);
    }
    assert_eq!(claim(&world, at(103)).await.len(), 3);
    assert_eq!(claim(&world, at(160)).await.len(), 8, "leases that ran out are under way no more");
}

/// Where it takes something it is there again: what waits for it need not wait for the time that was planned.
pub(crate) async fn what_waits_for_a_channel_goes_once_it_takes_something(world: World) {
    let store = &world.store;
    let monitor = down(&world).await;
    let start = failing(&world, 2_000, 160).await;
    take(&world, 110, &start).await;
    assert!(claim(&world, at(159)).await.is_empty(), "it rests a while");
    let early = claim(&world, at(160)).await.remove(0);
    assert_eq!((&early.id, early.attempts, early.early), (&start.id, 1, true));

    // It fails again: that was no attempt that counts, and the one that was planned still is.
    let rests = Settled::AsPlanned { soonest: at(230), why: "503 again".into() };
    assert!(world.settle(&early, &rests, at(170)).await);
    let view = store.delivery_get(world.team, &start.id).await.unwrap().unwrap();
    assert_eq!((view.attempts, view.next_at, view.receipt.as_deref()), (1, Some(at(2_000)), Some("503 again")));
    take(&world, 240, &start).await;
    let early = claim(&world, at(240)).await.remove(0);
    assert!(world.settle(&early, &delivered(), at(241)).await);
    assert_eq!(states(&world, &monitor).await, [(Some(EventKind::Down), State::Delivered)]);
}

/// The first failures are tried again as they always were, long before it could be tried out of turn.
pub(crate) async fn a_planned_try_does_not_rest(world: World) {
    down(&world).await;
    let start = failing(&world, 106, 161).await;
    take(&world, 103, &start).await;
    assert!(claim(&world, at(105)).await.is_empty());
    let planned = claim(&world, at(106)).await.remove(0);
    assert_eq!((planned.attempts, planned.early), (1, false));
}

/// Planned again, it may come later than planned: the service asked for more patience than that.
pub(crate) async fn a_planned_try_is_put_off_where_the_service_asks_for_it(world: World) {
    down(&world).await;
    let start = failing(&world, 500, 160).await;
    take(&world, 300, &start).await;
    let early = claim(&world, at(300)).await.remove(0);
    let asked = Settled::AsPlanned { soonest: at(900), why: "429".into() };
    assert!(world.settle(&early, &asked, at(301)).await);
    take(&world, 600, &start).await;
    assert!(claim(&world, at(899)).await.is_empty());
    let planned = claim(&world, at(900)).await.remove(0);
    assert_eq!((planned.attempts, planned.early), (1, false));
}

/// Each message that gets through brings along so many of those that wait, and where it stumbles no more than those.
pub(crate) async fn a_channel_that_is_back_is_not_stormed(world: World) {
    world.listener("hook").await;
    for n in 0..20 {
        let monitor = world.monitor(&format!("shop{n}")).await;
        world.check(&monitor, 0, Verdict::Down).await;
    }
    let mut first = None;
    for _ in 0..3 {
        for one in claim(&world, at(100)).await {
            let waits = Settled::Again { at: at(2_000), soonest: at(160), why: "503".into() };
            assert!(world.settle(&one, &waits, at(101)).await);
            first.get_or_insert(one);
        }
    }
    take(&world, 200, &first.unwrap()).await;
    assert_eq!(claim(&world, at(200)).await.len(), 8);
    assert!(claim(&world, at(210)).await.is_empty());
}

/// What is told first fails, is planned again, and may be tried out of turn.
async fn failing(world: &World, planned: u64, soonest: u64) -> Claimed {
    let start = claim(world, at(100)).await.remove(0);
    let waits = Settled::Again { at: at(planned), soonest: at(soonest), why: "503".into() };
    assert!(world.settle(&start, &waits, at(101)).await);
    start
}

/// Its channel takes a message: a test, as somebody sends it who mended the receiver.
async fn take(world: &World, now: u64, other: &Claimed) {
    let id = DeliveryId::test(at(now), [now as u8; 10]);
    let channel = world.store.delivery_get(world.team, &other.id).await.unwrap().unwrap().channel;
    assert!(world.store.delivery_test(world.team, channel, &id, at(now)).await.unwrap());
    let claimed = claim(world, at(now)).await.into_iter().find(|one| one.id == id).unwrap();
    assert!(world.settle(&claimed, &delivered(), at(now)).await);
}

/// Claimants that crash, stall, come back late and settle at random: every claim settles at most once, under the newest
/// epoch only, and everything ends up delivered.
pub(crate) async fn any_interleaving_settles_each_claim_once(world: World) {
    for n in 0..3 {
        world.listener(&format!("hook{n}")).await;
    }
    for n in 0..3 {
        let monitor = world.monitor(&format!("shop{n}")).await;
        world.check(&monitor, 0, Verdict::Down).await;
    }
    // A fixed generator (Knuth's MMIX constants): the same story each time.
    let mut state = 2_026_u64;
    let mut dice = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let (mut held, mut newest, mut done): (Vec<Claimed>, HashMap<DeliveryId, i64>, HashSet<DeliveryId>) =
        Default::default();
    let mut now = 100;
    while done.len() < 9 {
        now += dice(20);
        assert!(now < 100_000, "it ends");
        for claimed in world.store.deliveries_claim(at(now), LEASE, 1 + dice(4) as u32).await.unwrap() {
            assert!(!done.contains(&claimed.id), "what is settled is not claimed again");
            let before = newest.insert(claimed.id.clone(), claimed.epoch);
            assert!(before.is_none_or(|before| before < claimed.epoch), "epochs only grow");
            held.push(claimed);
        }
        if held.is_empty() {
            continue;
        }
        let claimed = held.swap_remove(dice(held.len() as u64) as usize);
        let settled = match dice(4) {
            0 => continue,
            1 => failed(at(now + dice(60))),
            _ => delivered(),
        };
        let mine = world.settle(&claimed, &settled, at(now)).await;
        let current = newest[&claimed.id] == claimed.epoch && !done.contains(&claimed.id);
        assert_eq!(mine, current, "the newest epoch settles, and no other");
        if mine && settled == delivered() {
            done.insert(claimed.id);
        }
    }
}
