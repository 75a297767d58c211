//! One simulated day: what happens next, and what came of it.
//!
//! Events are played one after the other in the order of true time. A function runs to its end within its event; what
//! it publishes becomes events of its own, some of which never come.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gazer_bus::{Bus, CheckBatch, Function, Hold, Message, Registry, Topic, Wake, Woken};
use gazer_channels::{Channels, Operator};
use gazer_domain::alert::{Rule, RuleSettings, Scope, Trigger};
use gazer_domain::channel::Target;
use gazer_domain::guarantee::guarantee;
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::{ChannelId, MonitorId, Quorum, Region, RuleId, TeamId};
use gazer_functions::{Lookout, Outside, Parts};
use gazer_probes::Prober;
use gazer_store::{Channel, Location, Options, SealingKey, Store};

use super::chance;
use super::faults::{DAY, Faults, Stretch, stretches};
use super::network::{self, Network};
use super::time::{START, Time, True};
use super::truth::Site;
use super::verdict::{self, Watched};
use gazer_testkit::chance::Chance;

/// Clocks tick no more often than this: polls are what makes things right, and right within ten seconds is what is
/// asked of a day.
const TICK: Duration = Duration::from_secs(10);
/// After the day everything is well, and what is still on its way arrives.
const AFTER: True = 2 * 3_600_000;
const NEVER: Duration = Duration::from_secs(10 * 86_400);
const TEAM: TeamId = TeamId::from_bits(1);
const MINUTE: u64 = 60_000;

/// What came of a day.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) complaints: Vec<String>,
    pub(crate) outages: usize,
    pub(crate) told: usize,
    pub(crate) duplicates: usize,
    /// A hash over all that the owner received, and when.
    pub(crate) trace: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { complaints, outages, told, duplicates, .. } = self;
        let failing = complaints.len();
        write!(f, "{outages} outages, {told} messages, {duplicates} of them twice, {failing} complaints")
    }
}

#[derive(Debug)]
enum Event {
    /// A function's clock ticks, in the process that was started so many times.
    Tick {
        function: usize,
        every: Duration,
        life: u64,
    },
    Message {
        message: Message,
        life: u64,
    },
    Kill,
    Start,
    Jump(i64),
}

#[derive(Debug)]
pub(crate) struct Sim {
    time: Time,
    parts: Parts,
    registry: Registry,
    events: BTreeMap<(True, u64), Event>,
    /// Numbers events, so that those of one instant keep their order.
    count: u64,
    faults: Faults,
    chance: Chance,
    /// How many processes have lived; messages of the dead go nowhere.
    life: u64,
    is_up: bool,
}

impl Sim {
    pub(crate) async fn day(seed: u64, monitors: usize, faults: Faults) -> Outcome {
        chance::seed_product(seed);
        let mut chance = Chance::new(seed, 2);
        let sites: Vec<_> = (0..monitors).map(|_| Site::draw(&mut chance)).collect();
        let cuts = stretches(faults.cuts, 2 * MINUTE, 10 * MINUTE, &mut chance);
        let crashes = stretches(faults.crashes, 5_000, 3 * MINUTE, &mut chance);
        let time = Time::default();
        let network = Network::new(time.clone(), sites.clone(), cuts.clone(), faults, Chance::new(seed, 3));
        let parts = parts(&time, &network).await;
        let registry = registry(&parts);
        let watched = people(&parts.store, &sites).await;
        let mut sim = Self {
            time,
            parts,
            registry,
            events: BTreeMap::new(),
            count: 0,
            faults,
            chance: Chance::new(seed, 4),
            life: 0,
            is_up: false,
        };
        sim.at(0, Event::Start);
        for crash in &crashes {
            sim.at(crash.from, Event::Kill);
            sim.at(crash.until, Event::Start);
        }
        let jumps = sim.jumps(&mut chance);
        sim.play(DAY + AFTER).await;
        let blind: Vec<Stretch> = crashes.into_iter().chain(cuts.iter().copied()).chain(jumps).collect();
        verdict::compare(&watched, &network.receipts(), &blind, &sim.faults, &sim.parts.store, TEAM).await
    }

    /// The clock jumps forward and back by an hour in turns; around a jump nothing is promised for a moment.
    fn jumps(&mut self, chance: &mut Chance) -> Vec<Stretch> {
        let mut around = Vec::new();
        for (n, jump) in stretches(self.faults.jumps, 1_000, 1_001, chance).into_iter().enumerate() {
            let by = if n % 2 == 0 { 3_600_000 } else { -3_600_000 };
            self.at(jump.from, Event::Jump(by));
            around.push(Stretch { from: jump.from, until: jump.from + 2 * TICK.as_millis() as u64 });
        }
        around
    }

    fn at(&mut self, at: True, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    async fn play(&mut self, until: True) {
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > until {
                return;
            }
            self.time.stand_at(at);
            match event {
                Event::Start => self.start().await,
                Event::Kill => (self.is_up, self.life) = (false, self.life + 1),
                Event::Jump(by) => self.time.jump(by),
                Event::Tick { function, every, life } if self.lives(life) => self.tick(at, function, every).await,
                Event::Message { message, life } if self.lives(life) => self.handle(message).await,
                Event::Tick { .. } | Event::Message { .. } => {}
            }
        }
    }

    fn lives(&self, life: u64) -> bool {
        self.is_up && self.life == life
    }

    /// A new process on what the last one left: nothing of its memory, all of its rows.
    async fn start(&mut self) {
        self.is_up = true;
        self.parts.bus = Bus::new();
        self.registry = registry(&self.parts);
        self.parts.store.leases_release().await.expect("the store answers");
        let clocks: Vec<_> = self.registry.functions().iter().map(|function| clock_of(function.as_ref())).collect();
        for (function, every) in clocks.into_iter().enumerate() {
            let Some(every) = every else { continue };
            self.at(self.time.now(), Event::Tick { function, every, life: self.life });
        }
    }

    async fn tick(&mut self, at: True, function: usize, every: Duration) {
        let function_of = Arc::clone(&self.registry.functions()[function]);
        let now = self.parts.clock.now();
        self.dispatch(&function_of, Woken::Clock { at: now, until: now }).await;
        self.at(at + every.as_millis() as u64, Event::Tick { function, every, life: self.life });
    }

    /// Checks of a batch run at the same time, so each is an event of its own here.
    async fn handle(&mut self, message: Message) {
        let topic = message.topic();
        let Some(consumer) = self.registry.consumer(topic).map(Arc::clone) else { return };
        if !matches!(topic, Topic::Check | Topic::Send) {
            return self.dispatch(&consumer, Woken::Messages(vec![message])).await;
        }
        let from = self.time.now();
        let time = self.time.clone();
        let (_, took) = time.run(self.registry.dispatch(&consumer, Woken::Messages(vec![message]))).await;
        self.forward(from + took.as_millis() as u64);
    }

    async fn dispatch(&mut self, function: &Arc<dyn Function>, woken: Woken) {
        let done = self.registry.dispatch(function, woken).await;
        done.unwrap_or_else(|failure| panic!("{} failed: {failure:?}", function.name()));
        self.forward(self.time.now());
    }

    /// What was published travels, or does not.
    fn forward(&mut self, from: True) {
        for message in self.parts.bus.take_waiting() {
            for message in single(message) {
                if self.chance.once_in(self.faults.message_dropped) {
                    continue;
                }
                let late =
                    if self.chance.once_in(self.faults.message_late) { self.chance.between(0, 4_000) } else { 1 };
                if self.chance.once_in(self.faults.message_doubled) {
                    let again = from + self.chance.between(0, 4_000);
                    self.at(again, Event::Message { message: message.clone(), life: self.life });
                }
                self.at(from + late, Event::Message { message, life: self.life });
            }
        }
    }
}

fn clock_of(function: &dyn Function) -> Option<Duration> {
    function.wakes().iter().find_map(|wake| match wake {
        // It stays up for its minute in production; here it is woken instead of slept.
        Wake::Clock(_) if function.name() == "plan" => Some(TICK / 2),
        Wake::Clock(every) => Some((*every).max(TICK)),
        Wake::Topic(_) => None,
    })
}

fn single(message: Message) -> Vec<Message> {
    let Message::Check(CheckBatch { region, epoch, due, deadline }) = message else { return vec![message] };
    due.into_iter()
        .map(|due| Message::Check(CheckBatch { region: region.clone(), epoch, due: vec![due], deadline }))
        .collect()
}

fn registry(parts: &Parts) -> Registry {
    let outside = Outside {
        bus: parts.bus.clone(),
        clock: Arc::clone(&parts.clock),
        prober: parts.prober.clone(),
        channels: Arc::clone(&parts.channels),
        region: Region::local(),
        checks: 4_000,
    };
    gazer_functions::registry(&outside, Some(parts))
}

async fn parts(time: &Time, network: &Network) -> Parts {
    let key = SealingKey::from_bytes([7; 32]);
    let options = Options { location: Location::Memory, key, public_url: "https://gazer.test".into() };
    let store = Store::open(options).await.expect("a store in memory");
    let config = gazer_probes::Config {
        witnesses: vec![network::WITNESS.parse().expect("a witness")],
        ..gazer_probes::Config::new(|| START)
    };
    let prober = Prober::over(config, Arc::new(network.clone()), Arc::new(network.clone())).expect("a prober");
    Parts {
        store,
        bus: Bus::new(),
        clock: Arc::new(time.clone()),
        prober: prober.clone(),
        channels: Arc::new(Channels::new(prober, None)),
        hold: Hold::alone(),
        random: chance::fill,
        retention: Duration::from_secs(86_400),
        // Each look at the witnesses would take real time, of which a simulated day has little.
        lookout: Arc::new(Lookout::new(Region::local(), NEVER, Operator::default())),
    }
}

/// One team with a monitor per site, and one webhook that hears of everything.
async fn people(store: &Store, sites: &[Site]) -> Vec<Watched> {
    store.region_add(&Region::local(), START).await.expect("a region");
    store.team_create(TEAM, "Ours", START).await.expect("a team");
    let url = parse_url(&format!("http://{}/", network::RECEIVER)).expect("a URL");
    let target = Target::Webhook { url, secret: vec![1; 24] };
    let channel = Channel { id: ChannelId::from_bits(1), name: "hook".into(), target, created: START };
    store.channel_create(TEAM, &channel).await.expect("a channel");
    let settings = RuleSettings {
        name: "all".into(),
        scope: Scope::All,
        channels: vec![channel.id],
        on: vec![Trigger::Down, Trigger::Recovered],
        after: Duration::ZERO,
    };
    store.rule_create(TEAM, &Rule { id: RuleId::from_bits(1), settings }, START).await.expect("a rule");
    let mut watched = Vec::new();
    for (n, site) in sites.iter().enumerate() {
        let url = parse_url(&format!("http://{}/", network::name_of(n))).expect("a URL");
        let settings = Settings {
            name: format!("Site {n}"),
            spec: Spec::Http(HttpSpec::get(url)),
            interval: site.interval,
            verify: Verify::default(),
            recover_after: 1,
            regions: Vec::new(),
            quorum: Quorum::Majority,
        };
        let mut random = [0; 10];
        chance::fill(&mut random);
        let id = MonitorId::new(START, random);
        let promise = guarantee(&settings);
        let monitor = Monitor { id, settings, revision: 1, created: START, cadence_since: START, paused: false };
        store.monitor_create(TEAM, &monitor).await.expect("a monitor");
        watched.push(Watched { id, site: site.clone(), promise });
    }
    watched
}
