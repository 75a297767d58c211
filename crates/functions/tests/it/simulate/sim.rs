//! One simulated day: what happens next, and what came of it.
//!
//! Events are played one after the other in the order of true time. A function runs to its end within its event; what
//! it publishes becomes events of its own, some of which never come.
//!
//! Absent: `plan`'s minute, in which it waits for its clock and for the store in one breath. With tokio's clock paused
//! the wait for the store would run into the next slot, and with a clock that stands still nobody sees from outside for
//! which of the two it waits. So it is woken every five seconds for what is due; its minute is held by the tests that
//! run the real binary (crash, cluster, starved).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gazer_bus::{CheckBatch, Due, Function, Message, Occasion, Registry, Topic, Wake, Woken};
use gazer_domain::MonitorId;
use gazer_functions::Parts;
use gazer_testkit::chance::Chance;
use tokio::sync::Notify;

use super::faults::{DAY, Faults, Stretch, stretches};
use super::network::Network;
use super::people::{self, Act, People};
use super::time::{Time, True};
use super::truth::Site;
use super::verdict::{self, Story};
use super::{chance, process, receivers};
use crate::whole;

/// Clocks tick no more often than this: polls are what makes things right, and right within ten seconds is what is
/// asked of a day.
const TICK: Duration = Duration::from_secs(10);
/// After the day everything is well, and what is still on its way arrives.
const AFTER: True = 2 * 3_600_000;
const MINUTE: u64 = 60_000;
/// Somebody who asked for a check looks for the answer.
pub(crate) const LOOK: True = 10 * MINUTE;
/// Calm observations wait so long for company, as they do for the judge's workers.
const LINGER: True = 500;
/// Witnesses are not asked more often than this.
const SPACING: Duration = Duration::from_millis(250);

/// What came of a day.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) complaints: Vec<String>,
    pub(crate) outages: usize,
    pub(crate) told: usize,
    pub(crate) duplicates: usize,
    pub(crate) refused: usize,
    /// Of our own blindness, as the operator was told.
    pub(crate) episodes: usize,
    /// A hash over all that the owner received, and when.
    pub(crate) trace: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { complaints, outages, told, duplicates, refused, episodes, trace } = self;
        let failing = complaints.len();
        write!(f, "{outages} outages, {told} messages, {duplicates} of them twice, ")?;
        write!(f, "{refused} refused for good, {episodes} episodes, {failing} complaints, trace {trace:x}")
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
    /// Calm observations have waited for company long enough.
    Company {
        life: u64,
    },
    Kill,
    Start,
    Jump(i64),
    /// Somebody does something to a monitor.
    Act {
        monitor: usize,
        act: Act,
    },
    Rule,
    Look(usize),
}

#[derive(Debug)]
pub(crate) struct Sim {
    time: Time,
    network: Network,
    parts: Parts,
    people: People,
    registry: Registry,
    events: BTreeMap<(True, u64), Event>,
    /// Numbers events, so that those of one instant keep their order.
    count: u64,
    faults: Faults,
    chance: Chance,
    /// When nothing of ours ran, or its clock was not to be trusted.
    blind: Vec<Stretch>,
    /// The check of each monitor that is under way: until when.
    flights: HashMap<MonitorId, True>,
    /// Calm observations that arrived, and wait for company.
    calm: Vec<Message>,
    /// How many processes have lived; messages of the dead go nowhere.
    life: u64,
    is_up: bool,
}

impl Sim {
    pub(crate) async fn day(seed: u64, monitors: usize, faults: Faults, idle: Arc<Notify>) -> Outcome {
        chance::seed_product(seed);
        let mut chance = Chance::new(seed, 2);
        // Each monitor's, and another that its owner may turn to.
        let sites: Vec<_> = (0..2 * monitors).map(|_| Site::draw(&mut chance)).collect();
        let cuts = stretches(faults.cuts, 2 * MINUTE, if monitors > 400 { 4 } else { 8 } * MINUTE, &mut chance);
        let crashes = stretches(faults.crashes, 5_000, 3 * MINUTE, &mut chance);
        let receivers = receivers::draw(&faults, &mut chance);
        let acts: Vec<_> = sites.iter().step_by(2).map(|site| people::acts(site, &faults, &mut chance)).collect();
        let time = Time::new(idle);
        let (sites_there, receivers_there) = (sites.clone(), receivers.clone());
        let network =
            Network::new(time.clone(), sites_there, receivers_there, cuts.clone(), faults, Chance::new(seed, 3));
        let store = process::store(align_of(seed)).await;
        let parts = process::parts(&time, &network, &store);
        let registry = whole::registry(&parts);
        let people = People::begin(&store, sites, &mut chance).await;
        let mut sim = Self {
            time,
            network,
            parts,
            people,
            registry,
            events: BTreeMap::new(),
            count: 0,
            faults,
            chance: Chance::new(seed, 4),
            blind: cuts.clone(),
            flights: HashMap::new(),
            calm: Vec::new(),
            life: 0,
            is_up: false,
        };
        sim.at(0, Event::Start);
        for crash in crashes {
            sim.at(crash.from, Event::Kill);
            sim.at(crash.until, Event::Start);
            sim.blind.push(crash);
        }
        for (monitor, acts) in acts.into_iter().enumerate() {
            for (at, act) in acts {
                sim.at(at, Event::Act { monitor, act });
            }
        }
        for change in stretches(faults.rule_edits, 1, 1, &mut chance) {
            sim.at(change.from, Event::Rule);
        }
        let jumps = sim.jumps(&mut chance);
        sim.play(DAY + AFTER).await;
        let (receipts, refusals) = (sim.network.receipts(), sim.network.refusals());
        let blind = sim.blind.iter().chain(&jumps).copied().collect();
        let Self { time, people, parts, .. } = sim;
        let story = Story { people, receipts, refusals, receivers, cuts, jumps, blind, time, faults };
        verdict::compare(&story, &parts.store).await
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
                Event::Company { life } if self.lives(life) => self.judge().await,
                Event::Tick { .. } | Event::Message { .. } | Event::Company { .. } => {}
                Event::Act { .. } | Event::Rule if !self.is_up => self.at(at + MINUTE, event),
                Event::Act { monitor, act } => self.act(monitor, act).await,
                Event::Rule => {
                    let now = self.parts.clock.now();
                    self.people.change_rule(&self.parts.store, at, now, &mut self.chance).await;
                }
                Event::Look(asked) => self.people.look(&self.parts.store, asked).await,
            }
        }
    }

    async fn act(&mut self, monitor: usize, act: Act) {
        let (at, now) = (self.time.now(), self.parts.clock.now());
        let asked = self.people.act(&self.parts.store, monitor, act, at, now).await;
        if let Some(asked) = asked {
            self.at(at + LOOK, Event::Look(asked));
        }
        self.parts.bus.publish(Message::Plan);
        self.forward(at);
    }

    fn lives(&self, life: u64) -> bool {
        self.is_up && self.life == life
    }

    /// A new process on what the last one left: nothing of its memory, all of its rows.
    async fn start(&mut self) {
        if self.is_up {
            return;
        }
        self.is_up = true;
        self.flights.clear();
        self.calm.clear();
        self.parts = process::parts(&self.time, &self.network, &self.parts.store);
        self.registry = whole::registry(&self.parts);
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
        if function_of.name() == "canary" {
            // It may ask witnesses that were asked a moment ago, and would wait until it may.
            self.time.catch_up(SPACING).await;
        }
        self.dispatch(&function_of, Woken::Clock { at: now, until: now }).await;
        self.at(at + every.as_millis() as u64, Event::Tick { function, every, life: self.life });
    }

    /// Checks of a batch run at the same time, so each is an event of its own here.
    async fn handle(&mut self, mut message: Message) {
        let topic = message.topic();
        let Some(consumer) = self.registry.consumer(topic).map(Arc::clone) else { return };
        if topic == Topic::Observed {
            return self.gather(message).await;
        }
        if !matches!(topic, Topic::Check | Topic::Send) {
            return self.dispatch(&consumer, Woken::Messages(vec![message])).await;
        }
        let (from, monitor) = (self.time.now(), checked(&message));
        let flight = monitor.and_then(|due| self.flights.get(&due.monitor.id).copied()).filter(|until| *until > from);
        if let (Some(until), Some(due)) = (flight, monitor) {
            // `check` itself would see to this, were its runs not played one after the other.
            if due.occasion == Occasion::Slot {
                return;
            }
            if let Message::Check(batch) = &mut message {
                batch.deadline = batch.deadline + Duration::from_millis(until - from);
            }
            return self.at(until, Event::Message { message, life: self.life });
        }
        let monitor = monitor.map(|due| due.monitor.id);
        let (time, network) = (self.time.clone(), self.network.clone());
        let sent = time.run(unless_killed(&network, self.registry.dispatch(&consumer, Woken::Messages(vec![message]))));
        let (done, took) = sent.await;
        let until = from + took.as_millis() as u64;
        if let Some(monitor) = monitor {
            self.flights.insert(monitor, until);
        }
        match done {
            Some(_) => self.forward(until),
            None => self.die(until),
        }
    }

    /// Good news waits for company, bad news takes along what is there.
    async fn gather(&mut self, message: Message) {
        let (is_urgent, is_first) = (message.is_urgent(), self.calm.is_empty());
        self.calm.push(message);
        if is_urgent {
            self.judge().await;
        } else if is_first {
            self.at(self.time.now() + LINGER, Event::Company { life: self.life });
        }
    }

    async fn judge(&mut self) {
        let seen = std::mem::take(&mut self.calm);
        let Some(judge) = self.registry.consumer(Topic::Observed).filter(|_| !seen.is_empty()).map(Arc::clone) else {
            return;
        };
        self.dispatch(&judge, Woken::Messages(seen)).await;
    }

    async fn dispatch(&mut self, function: &Arc<dyn Function>, woken: Woken) {
        let done = unless_killed(&self.network, self.registry.dispatch(function, woken)).await;
        let Some(done) = done else { return self.die(self.time.now()) };
        done.unwrap_or_else(|failure| panic!("{} failed: {failure:?}", function.name()));
        self.forward(self.time.now());
    }

    /// In the middle of what it did: nothing that it would have said is heard.
    fn die(&mut self, at: True) {
        (self.is_up, self.life) = (false, self.life + 1);
        let until = at + self.chance.between(1_000, 30_000);
        self.blind.push(Stretch { from: self.time.now(), until });
        self.at(until, Event::Start);
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

/// Each fourth day everything is due at one instant of the minute, as on Lambda.
fn align_of(seed: u64) -> Duration {
    Duration::from_secs(if seed.is_multiple_of(4) { 60 } else { 0 })
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

/// Does the work, unless the process dies of it.
async fn unless_killed<T>(network: &Network, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = network.death() => None,
        done = work => Some(done),
    }
}

fn checked(message: &Message) -> Option<&Due> {
    let Message::Check(batch) = message else { return None };
    batch.due.first()
}
