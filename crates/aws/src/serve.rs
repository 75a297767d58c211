//! Puts this process together once, and then answers one invocation after the other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_config::BehaviorVersion;
use gazer::issues::{Heard, Speaker};
use gazer::{Assembly, Config, House, Ties};
use gazer_bus::hold::Lease;
use gazer_bus::parcel::Packer;
use gazer_bus::{Bus, Clock, Failure, Function, Hold, Registry, Role, Topic, Turns, Wake, Woken};
use gazer_domain::{Region, Timestamp};
use gazer_functions::Says;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::carry::{Carrying, SIZE};
use crate::claims::Claims;
use crate::own::Own;
use crate::sns::Sns;
use crate::{event, web};

/// Files that Lambda lets a process open (Lambda quotas).
const DESCRIPTORS: u64 = 1_024;
/// How often the clock invokes what goes by it; `plan` stays up from one time to the next.
const MINUTE: Duration = Duration::from_secs(60);
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
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
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
            Ok(Some(messages)) => {
                let messages = match &self.claims {
                    Some(claims) => claims.take(messages).await,
                    None => messages,
                };
                self.run(Woken::Messages(messages)).await.map_err(anyhow::Error::from)
            }
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

    async fn run(&self, woken: Woken) -> Result<(), Failure> {
        self.functions.dispatch(&self.function, woken).await.map(drop)
    }

    /// By the clock: once, or where one at a time does it, until the next one comes.
    async fn tick(&self) -> Result<(), Failure> {
        let at = self.clock.now();
        let Some(Turn { hold, lease }) = &self.turn else {
            return self.run(Woken::Clock { at, until: at }).await;
        };
        let keeper = hold.keep(Arc::clone(lease));
        let ran = if gained(hold, &**lease).await { self.stay(hold, &**lease, at + STAY).await } else { Ok(()) };
        keeper.release().await;
        ran
    }

    /// In short windows, between which it is asked who waits. The last failure is told at the end.
    async fn stay(&self, hold: &Hold, lease: &dyn Lease, until: Timestamp) -> Result<(), Failure> {
        let mut ran = Ok(());
        while hold.is_held() && self.clock.now() < until && !lease.is_wanted().await.unwrap_or(false) {
            let at = self.clock.now();
            ran = self.run(Woken::Clock { at, until: at + WINDOW }).await;
        }
        ran
    }
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
