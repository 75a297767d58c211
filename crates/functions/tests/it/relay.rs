//! Where processes take turns every minute, as on Lambda: the next goes on where the last one ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gazer_bus::hold::Lease;
use gazer_bus::{Due, Failure, Hold, Message, Occasion, Report, SystemClock, Woken};
use gazer_channels::Operator;
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::{MonitorId, Quorum, Region, TeamId, Timestamp};
use gazer_functions::{Lookout, Parts};
use gazer_store::Store;
use gazer_testkit::now::now;

use crate::{trial, whole};

const TEAM: TeamId = TeamId::from_bits(1);
const MONITORS: u128 = 60;
const INTERVAL: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);
const TURN: Duration = Duration::from_secs(3);
/// Nobody plans for so long.
const BETWEEN: Duration = Duration::from_millis(700);

#[derive(Debug)]
struct Clock {
    store: Store,
    holder: &'static str,
}

#[async_trait::async_trait]
impl Lease for Clock {
    async fn renew(&self) -> Result<Option<i64>, Failure> {
        Ok(self.store.lease_renew("clock", self.holder, LONG).await.expect("the store answers"))
    }

    async fn release(&self) -> Result<(), Failure> {
        self.store.lease_release("clock", self.holder).await.expect("the store answers");
        Ok(())
    }
}

#[tokio::test]
async fn no_slot_is_missed_between_two_turns_and_none_is_planned_twice() {
    let store = store(Duration::ZERO, INTERVAL).await;
    let begun = now();
    let mut published = turn(&store, "first").await;
    tokio::time::sleep(BETWEEN).await;
    published.extend(turn(&store, "second").await);
    let ended = now();

    let mut planned: HashMap<MonitorId, Vec<Timestamp>> = HashMap::new();
    for due in due(published).filter(|due| due.occasion == Occasion::Slot) {
        planned.entry(due.monitor.id).or_default().push(due.slot);
    }
    // The first look takes its time, and what is due at the very end is the next turn's.
    let (from, until) = (begun + Duration::from_millis(300), ended - Duration::from_millis(300));
    for monitor in (0..MONITORS).map(|n| monitor(n, INTERVAL)) {
        let slots = planned.get(&monitor.id).cloned().unwrap_or_default();
        let is_asked = |slot: &Timestamp| (from..until).contains(slot);
        let mut expected = vec![monitor.cadence().at_or_after(from)];
        expected.push(expected[0] + INTERVAL);
        expected.retain(is_asked);
        let seen: Vec<_> = slots.into_iter().filter(is_asked).collect();
        assert_eq!(seen, expected, "of {}", monitor.id);
    }
}

/// Where everything is due at one instant of the minute, nobody is up in between.
#[tokio::test]
async fn what_is_due_while_nobody_plans_is_left_to_the_next() {
    let (store, second) = (store(LONG, LONG).await, Duration::from_secs(1));
    let slot = Timestamp::from_millis(29_833_334 * 60_000 + 5_000);
    let all = |slot| vec![slot; MONITORS as usize];

    let (due, next) = once(&store, "first", slot - second).await;
    assert_eq!((due.out_of_turn.len(), due.slots), (all(slot).len(), vec![]), "nobody planned before: all are new");
    assert_eq!(next, Some(slot), "it need not be up before");
    let (due, next) = once(&store, "second", slot + second).await;
    assert_eq!((due.out_of_turn, due.slots), (vec![], all(slot)), "a second late, and all at once");
    assert_eq!(next, Some(slot + LONG));

    // The clock is late; then it does not come for two minutes.
    let late = slot + LONG + second * 40;
    assert_eq!(once(&store, "third", late).await.0.slots, all(slot + LONG));
    let (due, next) = once(&store, "fourth", late + LONG * 3).await;
    assert_eq!((due.slots, next), (vec![], Some(slot + LONG * 5)), "what is older is missed");
}

/// Whoever plans next has not seen it change, and the last one did not see it either.
#[tokio::test]
async fn what_changes_while_nobody_plans_is_checked_out_of_turn_by_the_next() {
    let store = store(LONG, LONG).await;
    let at = trial::Still::START;
    once(&store, "first", at).await;
    let Monitor { id, mut settings, .. } = monitor(7, LONG);
    settings.name = "Renamed".into();
    store.monitor_edit(TEAM, id, &settings, at).await.expect("it is there");
    for (holder, expected) in [("second", vec![id]), ("third", vec![])] {
        assert_eq!(once(&store, holder, at + Duration::from_secs(1)).await.0.out_of_turn, expected, "{holder}");
    }
}

/// Whoever comes to know nothing does not say that it may rest.
#[tokio::test]
async fn it_is_known_when_something_is_due_once_the_monitors_are() {
    let (empty, at) = (trial::store_on(LONG).await, now());
    let clock = Arc::new(SystemClock::default());
    let too_short_for_a_look = Woken::Clock { at, until: at + Duration::from_millis(50) };
    assert_eq!(turn_of(&empty, "first", clock, too_short_for_a_look).await.1.next, None);
    let at = trial::Still::START;
    let (_, next) = once(&empty, "second", at).await;
    assert!(next.expect("nothing is watched").since(at) > LONG);
}

struct Published {
    slots: Vec<Timestamp>,
    out_of_turn: Vec<MonitorId>,
}

/// Looks once at what is due at this time, in a turn of its own; and when something is due again.
async fn once(store: &Store, holder: &'static str, at: Timestamp) -> (Published, Option<Timestamp>) {
    let clock = Arc::new(trial::Still::new());
    clock.stand_at(at);
    let (published, report) = turn_of(store, holder, clock, Woken::Clock { at, until: at }).await;
    let (slots, others): (Vec<_>, Vec<_>) = due(published).partition(|due| due.occasion == Occasion::Slot);
    let slots = slots.into_iter().map(|due| due.slot).collect();
    (Published { slots, out_of_turn: others.into_iter().map(|due| due.monitor.id).collect() }, report.next)
}

fn due(published: Vec<Message>) -> impl Iterator<Item = Due> {
    published.into_iter().flat_map(|message| match message {
        Message::Check(batch) => batch.due,
        _ => Vec::new(),
    })
}

async fn turn(store: &Store, holder: &'static str) -> Vec<Message> {
    let at = now();
    turn_of(store, holder, Arc::new(SystemClock::default()), Woken::Clock { at, until: at + TURN }).await.0
}

async fn turn_of(
    store: &Store,
    holder: &'static str,
    clock: Arc<dyn gazer_bus::Clock>,
    woken: Woken,
) -> (Vec<Message>, Report) {
    let hold = Hold::nobodys();
    let lookout = Lookout::new(Region::local(), LONG, Operator::default());
    let parts = trial::parts(store.clone(), clock, lookout);
    let parts = Parts { hold: hold.clone(), hands_on: true, ..parts };
    let keeper = hold.keep(Arc::new(Clock { store: store.clone(), holder }));
    hold.gained().await;
    let registry = whole::registry(&parts);
    let plan = registry.functions().iter().find(|function| function.name() == "plan").expect("it is registered");
    let report = registry.dispatch(plan, woken).await.expect("it plans");
    keeper.release().await;
    (parts.bus.take_waiting(), report)
}

async fn store(align: Duration, interval: Duration) -> Store {
    let store = trial::store_on(align).await;
    store.region_add(&Region::local(), now()).await.expect("a region");
    store.team_create(TEAM, "Ours", now()).await.expect("a team");
    for n in 0..MONITORS {
        store.monitor_create(TEAM, &monitor(n, interval)).await.expect("a monitor");
    }
    store
}

fn monitor(n: u128, interval: Duration) -> Monitor {
    let settings = Settings {
        name: format!("Shop {n}"),
        spec: Spec::Http(HttpSpec::get(parse_url("http://192.0.2.1/").expect("a URL"))),
        interval,
        verify: Verify::default(),
        recover_after: 1,
        regions: Vec::new(),
        quorum: Quorum::Majority,
    };
    let began = Timestamp::from_millis(1_790_000_000_000);
    // Spread over the bits from which phases are drawn.
    let id = MonitorId::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Monitor::new(id, settings, began)
}
