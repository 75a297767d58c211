//! Several regions, as plan, check, judge and audit see them: what travels between is put in by hand.

use std::sync::Arc;
use std::time::Duration;

use gazer_bus::{CheckBatch, Clock, Message, Observed, Registry, Woken};
use gazer_channels::Operator;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::incident::EventKind;
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::observation::{Attempt, Observation};
use gazer_domain::period::Status;
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{MonitorId, Quorum, Region, TeamId, Timestamp};
use gazer_functions::{Lookout, Parts};
use gazer_store::{IncidentFilter, IncidentStory, Page};
use gazer_testkit::sample::well;

use crate::trial::{self, Still};
use crate::whole;

const TEAM: TeamId = TeamId::from_bits(1);
const START: Timestamp = Still::START;
const NEVER: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);
const NAMES: [&str; 3] = ["local", "fra", "nyc"];

struct World {
    parts: Parts,
    clock: Arc<Still>,
    registry: Registry,
    monitor: Monitor,
}

impl World {
    /// Three regions, of which this process probes from the first, and a monitor that a majority decides about.
    async fn new() -> Self {
        let store = trial::store().await;
        let [local, others @ ..] = regions();
        store.region_add(&local, START).await.expect("a region");
        for other in &others {
            assert!(store.region_add(other, START).await.expect("a region"));
        }
        store.team_create(TEAM, "Ours", START).await.expect("a team");
        let settings = Settings {
            name: "Shop".into(),
            spec: Spec::Http(HttpSpec::get(parse_url("http://192.0.2.1/").expect("a URL"))),
            interval: MINUTE,
            verify: Verify::default(),
            recover_after: 1,
            regions: Vec::new(),
            quorum: Quorum::Majority,
        };
        let id = MonitorId::from_bits(5);
        let monitor = Monitor::new(id, settings, START);
        store.monitor_create(TEAM, &monitor).await.expect("a monitor");
        let clock = Arc::new(Still::new());
        let parts = trial::parts(store, clock.clone(), Lookout::new(local, NEVER, Operator::default()));
        let registry = whole::registry(&parts);
        Self { parts, clock, registry, monitor }
    }

    fn slot(&self, n: u32) -> Timestamp {
        self.monitor.cadence().at_or_after(START) + MINUTE * n
    }

    fn stand_at(&self, at: Timestamp) {
        self.clock.stand_at(at);
    }

    async fn run(&self, name: &str, woken: Woken) -> u64 {
        let function = self.registry.functions().iter().find(|function| function.name() == name).expect("a function");
        let report = self.registry.dispatch(function, woken).await.expect("it works");
        report.skipped
    }

    async fn tick(&self, name: &str) {
        let now = self.clock.now();
        self.run(name, Woken::Clock { at: now, until: now }).await;
    }

    /// How many of them were skipped.
    async fn judge(&self, seen: &[(&str, u32, Verdict)]) -> u64 {
        let last = seen.iter().map(|(_, n, _)| *n).max().expect("something was seen");
        self.stand_at(self.slot(last) + Duration::from_secs(1));
        let observed = seen.iter().map(|(region, n, verdict)| self.observed(region, *n, *verdict)).collect();
        self.run("judge", Woken::Messages(observed)).await
    }

    fn observed(&self, region: &str, n: u32, verdict: Verdict) -> Message {
        let slot = self.slot(n);
        let cause = Cause::new(Code::ConnectionRefused, format!("refused, seen from {region}"));
        let cause = Some(cause).filter(|_| verdict == Verdict::Down);
        let took = Duration::from_millis(25);
        let attempt = Attempt { started: slot, took, hops: Vec::new(), fault: cause.clone(), facts: Vec::new() };
        let observation = Observation {
            revision: self.monitor.revision,
            took,
            judgement: Judgement { verdict, cause },
            attempts: if verdict == Verdict::Up { Vec::new() } else { vec![attempt] },
            ..well(self.monitor.id, slot)
        };
        let region = region.parse().expect("a name");
        Message::Observed(Box::new(Observed { region, observation, team: TEAM, request: None }))
    }

    async fn status(&self) -> Status {
        self.parts.store.monitor_get(TEAM, self.monitor.id).await.expect("it answers").expect("a monitor").status
    }

    async fn story(&self) -> IncidentStory {
        let (store, filter) = (&self.parts.store, IncidentFilter::default());
        let listed = store.incident_list(TEAM, filter, &Page::first(1)).await.expect("it answers");
        let id = listed.rows.first().expect("an incident").incident.id;
        store.incident_get(TEAM, id).await.expect("it answers").expect("a story")
    }
}

fn regions() -> [Region; 3] {
    NAMES.map(|name| name.parse().expect("a name"))
}

use Verdict::{Down, Up};

#[tokio::test]
async fn each_region_gets_its_batch_and_leaves_the_others_alone() {
    let world = World::new().await;
    world.tick("plan").await;
    world.stand_at(world.slot(0));
    world.tick("plan").await;
    let mut asked = Vec::new();
    for message in world.parts.bus.take_waiting() {
        let Message::Check(CheckBatch { region, due, .. }) = &message else { continue };
        assert_eq!(
            due.iter().map(|due| (due.monitor.id, due.slot)).collect::<Vec<_>>(),
            [(world.monitor.id, world.slot(0))]
        );
        asked.push(region.to_string());
        if region.as_str() != "local" {
            assert_eq!(world.run("check", Woken::Messages(vec![message])).await, 1, "it is not asked of us");
        }
    }
    asked.sort();
    assert_eq!(asked, ["fra", "local", "nyc"]);
    assert!(world.parts.bus.take_waiting().is_empty(), "nothing was seen from elsewhere");
}

#[tokio::test]
async fn the_judge_counts_regions_and_drops_what_is_of_none() {
    let world = World::new().await;
    world.judge(&NAMES.map(|name| (name, 0, Up))).await;
    assert_eq!(world.judge(&[("fra", 1, Down), ("mars", 1, Down)]).await, 1, "no region of the monitor");
    assert_eq!(world.status().await, Status::Up);
    world.judge(&[("local", 1, Up), ("nyc", 1, Up)]).await;
    assert_eq!(world.status().await, Status::Regional);
    let story = world.story().await;
    assert_eq!(story.view.incident.cause.text, "refused, seen from fra");
    assert_eq!(story.evidence.iter().map(|proof| proof.region.as_str()).collect::<Vec<_>>(), ["fra"]);

    // All of one slot in one batch, and twice.
    for _ in 0..2 {
        world.judge(&[("fra", 2, Down), ("local", 2, Down), ("nyc", 2, Up)]).await;
    }
    assert_eq!(world.status().await, Status::Down);
    world.judge(&NAMES.map(|name| (name, 3, Up))).await;
    assert_eq!(world.status().await, Status::Up);
    let events = world.story().await.events.iter().map(|event| event.kind).collect::<Vec<_>>();
    assert_eq!(events, [EventKind::Regional, EventKind::Down, EventKind::Recovered]);
}

#[tokio::test]
async fn the_audit_takes_the_vote_of_a_region_that_fell_silent() {
    let world = World::new().await;
    world.judge(&NAMES.map(|name| (name, 0, Up))).await;
    world.judge(&[("local", 1, Down), ("local", 2, Down)]).await;
    world.stand_at(world.slot(2) + MINUTE / 3);
    assert_eq!(world.status().await, Status::Up);
    world.tick("audit").await;
    assert_eq!(world.status().await, Status::Down);
    let story = world.story().await;
    assert_eq!(story.view.incident.cause.text, "refused, seen from local", "not that we did not check");
    assert_eq!(story.view.incident.started, world.slot(1));
}
