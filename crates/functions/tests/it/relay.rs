//! Where processes take turns every minute, as on Lambda: the next goes on where the last one ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gazer_bus::hold::Lease;
use gazer_bus::{Failure, Hold, Message, SystemClock, Woken};
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
    every_slot_once(Duration::ZERO).await;
}

/// Also where what is due waits for company: it is left to the next.
#[tokio::test]
async fn what_waits_for_company_at_the_end_of_a_turn_leaves_in_the_next() {
    every_slot_once(Duration::from_secs(1)).await;
}

async fn every_slot_once(spread: Duration) {
    let store = store().await;
    let begun = now();
    let mut published = turn(&store, "first", spread).await;
    tokio::time::sleep(BETWEEN).await;
    published.extend(turn(&store, "second", spread).await);
    let ended = now();

    let mut planned: HashMap<MonitorId, Vec<Timestamp>> = HashMap::new();
    for message in published {
        let Message::Check(batch) = message else { continue };
        for due in batch.due {
            planned.entry(due.monitor.id).or_default().push(due.slot);
        }
    }
    // The first look takes its time, and what is due at the very end is the next turn's.
    let (from, until) = (begun + Duration::from_millis(300), ended - (spread + Duration::from_millis(300)));
    for monitor in (0..MONITORS).map(monitor) {
        let slots = planned.get(&monitor.id).cloned().unwrap_or_default();
        let is_asked = |slot: &Timestamp| (from..until).contains(slot);
        let mut expected = vec![monitor.cadence().at_or_after(from)];
        expected.push(expected[0] + INTERVAL);
        expected.retain(is_asked);
        let seen: Vec<_> = slots.into_iter().filter(is_asked).collect();
        assert_eq!(seen, expected, "of {}", monitor.id);
    }
}

async fn turn(store: &Store, holder: &'static str, spread: Duration) -> Vec<Message> {
    let (hold, clock) = (Hold::nobodys(), Arc::new(SystemClock::default()));
    let lookout = Lookout::new(Region::local(), LONG, Operator::default());
    let parts = trial::parts(store.clone(), clock, lookout);
    let parts = Parts { hold: hold.clone(), spread, hands_on: true, ..parts };
    let keeper = hold.keep(Arc::new(Clock { store: store.clone(), holder }));
    hold.gained().await;
    let registry = whole::registry(&parts);
    let plan = registry.functions().iter().find(|function| function.name() == "plan").expect("it is registered");
    let at = now();
    registry.dispatch(plan, Woken::Clock { at, until: at + TURN }).await.expect("it plans");
    keeper.release().await;
    parts.bus.take_waiting()
}

async fn store() -> Store {
    let store = trial::store().await;
    store.region_add(&Region::local(), now()).await.expect("a region");
    store.team_create(TEAM, "Ours", now()).await.expect("a team");
    for n in 0..MONITORS {
        store.monitor_create(TEAM, &monitor(n)).await.expect("a monitor");
    }
    store
}

fn monitor(n: u128) -> Monitor {
    let settings = Settings {
        name: format!("Shop {n}"),
        spec: Spec::Http(HttpSpec::get(parse_url("http://192.0.2.1/").expect("a URL"))),
        interval: INTERVAL,
        verify: Verify::default(),
        recover_after: 1,
        regions: Vec::new(),
        quorum: Quorum::Majority,
    };
    let began = Timestamp::from_millis(1_790_000_000_000);
    // Spread over the bits from which phases are drawn.
    let id = MonitorId::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Monitor { id, settings, revision: 1, created: began, cadence_since: began, paused: false }
}
