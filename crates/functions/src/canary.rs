//! canary: looks whether we see at all, tells the operator where we do not, and is heard from outside while all is
//! well.
//!
//! A look asks the prober's two canaries, the witnesses that have a vote, the store, and how far the judge is behind;
//! [`gazer_domain::sight`] says what that means. What changes is an episode in the operator's [`Ledger`]. After a look
//! that found nothing, an outside address is asked once in a while: whoever listens there notices our silence, also
//! where we cannot tell it, because the machine is gone or its network is.
//!
//! A process that is killed looks again after its start: an episode that lasts is a row, and goes on. One that the
//! store did not take, because it was the store that failed, is forgotten with the process, and found anew under
//! another id. Where several processes share the work, each prober looks at itself and says what it sees (`look`); a
//! region of which nobody says anything is one of which nobody knows whether it sees, and that is told as well. Where
//! several processes share a store, the one that plans is the one that looks; a new turn begins as a start does, but
//! keeps in mind what the store did not take: the turn runs out where the store is away.

mod far;
mod ledger;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join3;
use gazer_bus::{Failure, Function, Message, Report, Role, Topic, Wake, Woken};
use gazer_channels::Operator;
use gazer_domain::delivery::Outcome;
use gazer_domain::sight::{self, Facts, Fault, StoreSays, World};
use gazer_domain::{Region, Timestamp};
use tokio::sync::Mutex;

use crate::{Parts, lock};
use far::Far;
use watch::Watch;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// A store that takes longer than this for a row has no time for verdicts either.
const PATIENCE: Duration = Duration::from_secs(10);
/// A look that contradicts what is known is repeated after this part of the usual time.
const SOONER: u32 = 3;
/// How long a witness's vote lasts, and how often it is written down that they answer.
const VOTE: Duration = Duration::from_secs(3_600);
const VOTE_NOTED: Duration = Duration::from_secs(60);
/// Looks from one sign of life to the next: a minute, as such services expect.
const SIGN_OF_LIFE: u32 = 4;

/// What a region's canary is told, and what it answers to whoever asks.
#[derive(Debug)]
pub struct Lookout {
    pub region: Region,
    /// From one look to the next.
    pub every: Duration,
    pub operator: Operator,
    /// Whether this process probes from its region, so that it can look for itself.
    pub probes: bool,
    impaired: std::sync::Mutex<BTreeMap<Region, bool>>,
}

impl Lookout {
    /// How often a region looks whether it sees.
    pub const EVERY: Duration = Duration::from_secs(15);

    pub fn new(region: Region, every: Duration, operator: Operator) -> Self {
        let impaired = std::sync::Mutex::new(BTreeMap::from([(region.clone(), false)]));
        Self { region, every, operator, probes: true, impaired }
    }

    /// Whether each region is known not to see, or not to tell.
    pub fn impaired(&self) -> BTreeMap<Region, bool> {
        lock(&self.impaired).clone()
    }

    fn note(&self, region: &Region, is_impaired: bool) {
        lock(&self.impaired).insert(region.clone(), is_impaired);
    }

    fn forget(&self, region: &Region) {
        lock(&self.impaired).remove(region);
    }
}

#[derive(Debug)]
pub(crate) struct Canary {
    parts: Parts,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The region of this process, and what all share: the store, and how far the judge is behind.
    home: Watch,
    far: Far,
    /// The turn of the clock that this is known in, and when it began.
    epoch: i64,
    began: Timestamp,
    looked: Option<Timestamp>,
    /// When the last sign of life was given.
    lived: Option<Timestamp>,
    /// Witnesses have the votes that they had before this turn.
    vouched: bool,
    /// When it was written down that they answer.
    noted: Option<Timestamp>,
}

impl State {
    fn new(parts: &Parts, epoch: i64) -> Self {
        let home = Watch::new(&parts.lookout, parts.lookout.region.clone());
        let began = parts.clock.now();
        Self { home, far: Far::default(), epoch, began, looked: None, lived: None, vouched: false, noted: None }
    }

    /// What is known is known better by rows now.
    fn begin_anew(&mut self, parts: &Parts, epoch: i64) {
        self.home.begin_anew();
        self.far.begin_anew();
        (self.epoch, self.began, self.looked, self.vouched) = (epoch, parts.clock.now(), None, false);
    }
}

impl Canary {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone(), state: Mutex::new(State::new(parts, 0)) }
    }

    async fn look(&self, state: &mut State, now: Timestamp, report: &mut Report) {
        let facts = self.facts(state, now).await;
        report.looked_at += 1;
        let took = matches!(facts.store, StoreSays::Taken { .. });
        state.home.store_answers(&self.parts, took, now).await;
        let lookout = &self.parts.lookout;
        if took && lookout.probes {
            self.note_votes(state, now).await;
        }
        report.changed += state.far.look(&self.parts, took, state.began, now).await;
        let mut found = sight::judge(&facts);
        if found.is_none() && !lookout.probes {
            found = state.far.judge_home(&self.parts, state.began, now);
        }
        let is_well = found.is_none();
        report.changed += u64::from(state.home.fold(now, found));
        lookout.note(&lookout.region, state.home.is_impaired());
        if is_well && !state.home.is_impaired() {
            self.live(state, now).await;
        }
    }

    async fn facts(&self, state: &mut State, now: Timestamp) -> Facts {
        let prober = &self.parts.prober;
        // Votes lapse in an hour; that an outage of ours outlasts them does not end it.
        let insists = state.home.lasting() == Some(Fault::NetworkDown);
        let store = self.store_says(now, state.began);
        let judging = self.parts.bus.lag(Topic::Observed);
        if !self.parts.lookout.probes {
            return Facts { canaries: None, world: World::Unasked, store: store.await, judging };
        }
        let world = async {
            if !state.vouched {
                state.vouched = self.vouch(now).await;
            }
            prober.world(insists).await
        };
        let asked = join3(prober.canaries(), world, store);
        let (canaries, world, store) = Box::pin(asked).await;
        Facts { canaries, world, store, judging }
    }

    /// Who starts in the middle of an outage of ours has heard no witness yet, and would call every site down. So what
    /// was known before is taken up. Whether it could be read.
    async fn vouch(&self, now: Timestamp) -> bool {
        let Parts { store, lookout, prober, .. } = &self.parts;
        let Ok(answered) = in_time(&self.parts, store.world_answered(&lookout.region)).await else { return false };
        if let Some(at) = answered.filter(|at| now < *at + VOTE) {
            prober.vouch(now.since(at)).await;
        }
        true
    }

    async fn note_votes(&self, state: &mut State, now: Timestamp) {
        let Parts { store, lookout, prober, .. } = &self.parts;
        if is_within(state.noted, now, VOTE_NOTED) || !prober.sees_internet().await {
            return;
        }
        match in_time(&self.parts, store.world_note(&lookout.region, now)).await {
            Ok(()) => state.noted = Some(now),
            Err(why) => tracing::warn!("that witnesses answer is not written down: {why}"),
        }
    }

    async fn store_says(&self, now: Timestamp, began: Timestamp) -> StoreSays {
        let Parts { store, lookout, .. } = &self.parts;
        let asked = async {
            store.look_note(&lookout.region, now).await?;
            store.checks_overdue(now, began).await
        };
        match in_time(&self.parts, asked).await {
            Ok(counts) => StoreSays::Taken { overdue: counts.overdue, watched: counts.watched },
            Err(why) => StoreSays::Silent { why },
        }
    }

    /// A sign of life to the outside, once in a while.
    async fn live(&self, state: &mut State, now: Timestamp) {
        let Parts { lookout, channels, .. } = &self.parts;
        let Some(url) = &lookout.operator.ping else { return };
        if is_within(state.lived, now, lookout.every * SIGN_OF_LIFE) {
            return;
        }
        state.lived = Some(now);
        if let Outcome::Retry { why, .. } | Outcome::Refused { why } = channels.operator_ping(url).await {
            tracing::warn!("the sign of life was not taken: {why}");
        }
    }
}

/// Whether that was less than `length` ago. A clock that was set back does not make us wait for it.
fn is_within(at: Option<Timestamp>, now: Timestamp, length: Duration) -> bool {
    at.is_some_and(|at| at <= now && now < at + length)
}

/// What the store answers, or why it does not, within [`PATIENCE`].
async fn in_time<T>(parts: &Parts, asked: impl Future<Output = Result<T, gazer_store::Error>>) -> Result<T, String> {
    tokio::select! {
        said = asked => said.map_err(|err| root(&err)),
        () = parts.clock.sleep(PATIENCE) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The last cause says what happened; those before it, what for.
fn root(err: &gazer_store::Error) -> String {
    let mut err: &dyn std::error::Error = err;
    while let Some(source) = err.source() {
        err = source;
    }
    err.to_string()
}

#[async_trait::async_trait]
impl Function for Canary {
    fn name(&self) -> &'static str {
        "canary"
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(TICK), Wake::Topic(Topic::Looked)]
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let mut state = self.state.lock().await;
        let mut report = Report::default();
        if let Woken::Messages(messages) = woken {
            let now = self.parts.clock.now();
            for message in messages {
                if let Message::Looked(look) = message {
                    state.far.hear(*look, now);
                    report.looked_at += 1;
                }
            }
            return Ok(report);
        }
        let Some(epoch) = self.parts.hold.epoch() else { return Ok(report) };
        if state.epoch != epoch {
            state.begin_anew(&self.parts, epoch);
        }
        let (now, every) = (self.parts.clock.now(), self.parts.lookout.every);
        let is_doubtful = state.home.is_doubtful() || state.far.is_doubtful();
        let wait = if is_doubtful { every / SOONER } else { every };
        if !is_within(state.looked, now, wait) {
            state.looked = Some(now);
            self.look(&mut state, now, &mut report).await;
        }
        report.changed += state.home.work(&self.parts).await + state.far.work(&self.parts).await;
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
