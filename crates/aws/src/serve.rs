//! Puts this process together once, and then answers one invocation after the other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_config::BehaviorVersion;
use gazer::issues::{Heard, Speaker};
use gazer::{Assembly, Config, House, Ties};
use gazer_bus::hold::Lease;
use gazer_bus::parcel::Packer;
use gazer_bus::{Bus, Clock, Failure, Function, Hold, Message, Registry, Report, Role, Topic, Turns, Wake, Woken};
use gazer_domain::{Region, Timestamp};
use gazer_functions::Says;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::carry::{Carrying, SIZE};
use crate::claims::Claims;
use crate::own::Own;
use crate::sns::Sns;
use crate::{authorities, event, web};

/// Files that Lambda lets a process open (Lambda quotas).
const DESCRIPTORS: u64 = 1_024;
/// How often the clock invokes what goes by it.
const MINUTE: Duration = Duration::from_secs(60);
/// Whoever plans rests where nothing is due until the next one comes, which may be so much later.
const SLACK: Duration = Duration::from_secs(1);
/// Where the next one does not come, for whatever reason: its timeout in deploy/aws/functions.yml is longer.
const STAY: Duration = Duration::from_secs(115);
/// How long whoever comes next waits at most until it is noticed, and how often it says that it waits.
const WINDOW: Duration = Duration::from_secs(2);
const ASK: Duration = Duration::from_secs(1);
/// The pages, which are no function of the registry.
const WEB: &str = "web";

pub(crate) async fn serve(heard: Heard) -> anyhow::Result<()> {
    let own = Own::read()?;
    let config = Config::from_environment().map_err(anyhow::Error::msg)?.taking(role_of(&own.function)?);
    let config = match own.region_key {
        Some(key) => config.probing(key),
        None => config,
    };
    let house = House::of(&config, None).await?;
    let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(authorities::client()).load().await;
    let sns = Sns::new(aws_sdk_sns::Client::new(&sdk), own.topics);
    let (bus, name, home) = (Bus::carried(), gazer::secret(), config.region().clone());
    let packer = Arc::new(Packer::new(name.clone(), home.clone(), config.seals()?, SIZE));
    let speaker = Speaker { process: name.clone(), region: home.clone() };
    let carrying = Carrying::start(&bus, &packer, &sns, heard, speaker);

    let (mut turns, mut turn) = (Turns::default(), None);
    if let Some(house) = house.as_ref().filter(|_| own.function == Topic::Plan.consumer()) {
        // Whoever probes has no database to say so.
        for region in [&home].into_iter().chain(&own.regions) {
            house.add_region(region).await?;
        }
        let hold = Hold::nobodys();
        turns.share(Role::Plan, hold.clone());
        turn = Some(Turn { hold, lease: house.clock_lease() });
    }
    let claims = own.claims.map(|table| Claims::new(aws_sdk_dynamodb::Client::new(&sdk), table, name.clone()));
    let ties = Ties {
        name,
        bus,
        turns,
        hands_on: turn.is_some(),
        says: Some(Says { every: MINUTE, is_heard: false }),
        buried: None,
    };
    let Assembly { functions, clock, site, .. } = Assembly::of(&config, house, ties, None, DESCRIPTORS).await?;
    if own.function == WEB {
        let site = site.context("the pages have a store")?;
        return web::serve(site.web, &carrying).await;
    }
    let function = functions.functions().iter().find(|function| function.name() == own.function);
    let function = Arc::clone(function.context("the registry has every function of its role")?);
    let lambda =
        Lambda { topic: topic_of(&*function), function, functions, clock, turn, carrying, packer, home, claims };
    let lambda = &lambda;
    let answer = service_fn(|event: LambdaEvent<Value>| async move {
        lambda
            .invoke(event.payload)
            .await
            .map_err(|err| Diagnostic { error_type: "gazer".into(), error_message: format!("{err:#}") })
    });
    lambda_runtime::run(answer).await.map_err(|err| anyhow::anyhow!("the runtime API is gone: {err}"))
}

/// Whose work a function is.
fn role_of(function: &str) -> anyhow::Result<Role> {
    let known = gazer_functions::NAMES.into_iter().chain([(WEB, Role::Web)]);
    let role = known.clone().find(|(name, _)| *name == function).map(|(_, role)| role);
    role.with_context(|| {
        let names: Vec<_> = known.map(|(name, _)| name).collect();
        format!("GAZER_FUNCTION is {function:?}; there are {}", names.join(", "))
    })
}

/// A function of the clock has none, but for those whose bell is behind a topic.
fn topic_of(function: &dyn Function) -> Option<Topic> {
    function.wakes().iter().find_map(|wake| match wake {
        Wake::Topic(topic) => Some(*topic),
        Wake::Clock(_) => None,
    })
}

/// One function, and what an invocation of it needs.
#[derive(Debug)]
struct Lambda {
    function: Arc<dyn Function>,
    functions: Registry,
    topic: Option<Topic>,
    clock: Arc<dyn Clock>,
    /// Of the function of which one plans.
    turn: Option<Turn>,
    carrying: Carrying,
    packer: Arc<Packer>,
    home: Region,
    /// Of the function that sends.
    claims: Option<Claims>,
}

#[derive(Debug)]
struct Turn {
    hold: Hold,
    lease: Arc<dyn Lease>,
}

impl Lambda {
    async fn invoke(&self, event: Value) -> anyhow::Result<()> {
        let ran = match event::messages(event, self.topic, &self.packer, &self.home) {
            Ok(Some(messages)) => self.hear(messages).await.map_err(anyhow::Error::from),
            Ok(None) => self.tick().await.map_err(anyhow::Error::from),
            Err(why) => {
                tracing::error!(function = self.function.name(), "an event cannot be read: {why:#}");
                Err(why)
            }
        };
        // Also what a run that failed published.
        self.carrying.end().await;
        ran
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        self.functions.dispatch(&self.function, woken).await
    }

    async fn hear(&self, messages: Vec<Message>) -> Result<(), Failure> {
        if let Some(turn) = &self.turn {
            return self.look_in(turn, self.clock.now()).await;
        }
        let messages = match &self.claims {
            Some(claims) => claims.take(messages).await,
            None => messages,
        };
        self.run(Woken::Messages(messages)).await.map(drop)
    }

    /// By the clock: once, or where one at a time does it, for as long as something is due before the next one comes.
    async fn tick(&self) -> Result<(), Failure> {
        let at = self.clock.now();
        let Some(turn) = &self.turn else {
            return self.run(Woken::Clock { at, until: at }).await.map(drop);
        };
        let Turn { hold, lease } = turn;
        let keeper = hold.keep(Arc::clone(lease));
        let stayed = if gained(hold, &**lease).await { self.stay(hold, &**lease, at).await } else { Ok(false) };
        keeper.release().await;
        if stayed? { self.look_in(turn, at).await } else { Ok(()) }
    }

    /// In short windows, between which it is asked who waits, until it may rest; whether it may. The last failure is told
    /// at the end.
    async fn stay(&self, hold: &Hold, lease: &dyn Lease, came: Timestamp) -> Result<bool, Failure> {
        let mut ran = Ok(false);
        while hold.is_held() && self.clock.now() < came + STAY && !lease.is_wanted().await.unwrap_or(false) {
            let at = self.clock.now();
            let report = self.run(Woken::Clock { at, until: at + WINDOW }).await;
            if report.as_ref().is_ok_and(|report| rests(came, report.next)) {
                return Ok(true);
            }
            ran = report.map(|_| false);
        }
        ran
    }

    /// Once, and for as long as something is due before the clock comes again; unless somebody plans: whoever does looks
    /// every two seconds.
    async fn look_in(&self, turn: &Turn, came: Timestamp) -> Result<(), Failure> {
        // A bell that rang at the very end found that somebody plans.
        while self.look(turn, came).await? {}
        Ok(())
    }

    /// Whether it stayed, and may rest now.
    async fn look(&self, Turn { hold, lease }: &Turn, came: Timestamp) -> Result<bool, Failure> {
        if lease.renew().await?.is_none() {
            return Ok(false);
        }
        let keeper = hold.keep(Arc::clone(lease));
        let mut stayed = Ok(false);
        // A database that went away meanwhile must not keep it up.
        if tokio::time::timeout(WINDOW, hold.gained()).await.is_ok() {
            let at = self.clock.now();
            stayed = match self.run(Woken::Clock { at, until: at }).await {
                Ok(report) if !rests(came, report.next) => self.stay(hold, &**lease, came).await,
                looked => looked.map(|_| false),
            };
        }
        keeper.release().await;
        stayed
    }
}

/// Whether nothing is due before the clock has come again.
fn rests(came: Timestamp, next: Option<Timestamp>) -> bool {
    next.is_some_and(|next| next >= came + MINUTE + SLACK)
}

/// Whether it came to be ours. Whoever has it hears that somebody waits.
async fn gained(hold: &Hold, lease: &dyn Lease) -> bool {
    let ask = async {
        loop {
            if let Err(failure) = lease.want().await {
                tracing::warn!("{failure}");
            }
            tokio::time::sleep(ASK).await;
        }
    };
    tokio::select! {
        () = hold.gained() => true,
        () = ask => false,
        () = tokio::time::sleep(MINUTE) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_plans_rests_if_the_clock_comes_before_something_is_due() {
        let minute = Timestamp::from_millis(29_833_334 * 60_000);
        let [early, late] = [1, 40].map(|seconds| minute + Duration::from_secs(seconds));
        let slot = |minutes| Some(minute + Duration::from_secs(5) + MINUTE * minutes);
        assert!(!rests(early, slot(0)), "it is due in four seconds");
        assert!(rests(early, slot(1)));
        assert!(!rests(late, slot(1)), "the clock that comes next would be 35 s late");
        assert!(rests(late, slot(2)));
        assert!(!rests(minute + Duration::from_secs(5), slot(1)), "it would be there just then");
        assert!(!rests(early, None), "it does not know yet");
    }
}
