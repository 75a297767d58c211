//! Is it the site, or is it us?
//!
//! Before a check says that a site is down it asks the region's witnesses: a few well-known addresses and names. If
//! none of those that have a vote answers either, our own network is at fault, and the verdict is `unknown`.
//!
//! A vote has to be earned: a witness counts only if it answered within the last hour, so an install without internet
//! still alerts. It outlives the process that knew it, where somebody tells the next one: a start in the middle of an
//! outage of ours is no reason to blame the sites. And it counts only about its own part of the world: witnesses on the
//! internet say nothing about private addresses, which can be reached while the uplink is down.
//!
//! They also tell a resolver of ours that fails from name servers of the customer's that do: while witnesses are found
//! by their names, a name that cannot be resolved is the site's trouble. And where names that were found within the
//! last hour are found no longer, whatever the resolver says of any name is worth nothing.
//!
//! Witnesses are asked when somebody is about to say down, all waiting checks together, and about the time of the
//! failure: a round counts only if it began after the failing attempt did, because the world may have gone in between.
//! They are asked rarely otherwise, while public sites are being checked at all, so that their votes do not lapse. An
//! install that checks only its own network asks nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join_all;
use gazer_domain::observation::Attempt;
use gazer_domain::sight::World;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};
use url::Host;

use crate::Prober;
use crate::net::{Door, Stage, is_public};

/// From the begin of one round to that of the next at least: a thousand sites that fail at once ask four times a
/// second.
const SPACING: Duration = Duration::from_millis(250);
/// Within this a witness must have answered to have a vote.
const VOTE: Duration = Duration::from_secs(3_600);
/// How often votes are renewed while nothing is down.
const RENEW: Duration = Duration::from_secs(600);
/// How long a witness may take: it delays an alert.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Someone who should always be there: a TCP port of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    pub host: Host<String>,
    pub port: u16,
}

impl std::str::FromStr for Witness {
    type Err = String;

    /// `1.1.1.1:443`, `[2606:4700:4700::1111]:443` or `example.com:443`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a witness; write a host and a port, as in 1.1.1.1:443");
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let host = Host::parse(host).map_err(|_| refused())?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(refused)?;
        Ok(Self { host, port })
    }
}

/// Resolvers that the whole internet relies on, of three operators, and a name that IANA keeps.
pub fn well_known() -> Vec<Witness> {
    ["1.1.1.1:443", "8.8.8.8:443", "9.9.9.9:443", "example.com:443"]
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// The part of the world that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Internet,
    Private,
}

/// What the witnesses say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// One of them answered, or none has a vote.
    WorldIsThere,
    WorldIsGone {
        asked: usize,
    },
}

/// What the witnesses that are known by their names say of our resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolver {
    /// It finds one of them, or none has a vote.
    Works,
    Fails {
        asked: usize,
    },
}

/// The witnesses of one prober.
#[derive(Debug)]
pub(crate) struct Witnesses {
    door: Door,
    known: Vec<Witness>,
    /// Held while a round runs, so that all who wait share its outcome.
    roll: Mutex<Roll>,
    renewing: AtomicBool,
    begun: Instant,
    /// Milliseconds since `begun` of the last round, plus one; 0 is never.
    last_round: std::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Roll {
    /// When the last finished round began.
    began: Option<Instant>,
    standing: Vec<Standing>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    answers_now: bool,
    answered: Option<Instant>,
    /// Whether its name led to an address in the last round, and when one did at last.
    resolves_now: bool,
    resolved: Option<Instant>,
    /// Where it answered from.
    scope: Option<Scope>,
}

/// Where the target of these attempts lives. A name that led nowhere counts as on the internet.
pub(crate) fn scope_of(attempts: &[Attempt]) -> Scope {
    let mut addresses = attempts.iter().flat_map(|attempt| &attempt.hops).filter_map(|hop| hop.address).peekable();
    if addresses.peek().is_some() && addresses.all(|at| !is_public(at.ip())) { Scope::Private } else { Scope::Internet }
}

impl Witnesses {
    pub(crate) fn new(known: Vec<Witness>, door: Door) -> Self {
        let standing = known.iter().map(|_| Standing::default()).collect();
        let roll = Mutex::new(Roll { began: None, standing });
        let last_round = std::sync::atomic::AtomicU64::new(0);
        Self { door, known, roll, renewing: AtomicBool::new(false), begun: Instant::now(), last_round }
    }

    /// Asks those that have a vote about `scope`, no earlier than `since`.
    pub(crate) async fn ask(&self, scope: Scope, since: Instant) -> Opinion {
        if self.known.is_empty() {
            return Opinion::WorldIsThere;
        }
        let mut roll = self.roll.lock().await;
        if roll.voters(scope).next().is_none() {
            return Opinion::WorldIsThere;
        }
        self.round_since(&mut roll, since).await;
        let (mut asked, mut answer) = (0, false);
        for voter in roll.voters(scope) {
            asked += 1;
            answer |= voter.answers_now;
        }
        if asked == 0 || answer { Opinion::WorldIsThere } else { Opinion::WorldIsGone { asked } }
    }

    /// Asks those that have a vote about any part of the world, now: one part whose witnesses are all silent is gone.
    /// One that `insists` also asks where votes have lapsed; without it, an install that asks nobody goes on to ask
    /// nobody.
    pub(crate) async fn look(&self, insists: bool) -> World {
        let mut roll = self.roll.lock().await;
        let scopes = [Scope::Internet, Scope::Private];
        let votes = scopes.iter().any(|scope| roll.voters(*scope).next().is_some());
        if self.known.is_empty() || !(votes || insists) {
            return World::Unasked;
        }
        self.round_since(&mut roll, Instant::now()).await;
        for scope in scopes {
            let asked = roll.voters(scope).count();
            if asked > 0 && !roll.voters(scope).any(|voter| voter.answers_now) {
                return World::Silent { asked };
            }
        }
        if roll.standing.iter().any(|standing| standing.answers_now) {
            return World::Answers;
        }
        World::Silent { asked: self.known.len() }
    }

    /// A process before this one heard them on the internet so long ago. Who answered since, here, is known better.
    async fn vouch(&self, ago: Duration) {
        let now = Instant::now();
        // A machine that is up for less than that has no such instant.
        let answered = now.checked_sub(ago).unwrap_or(now);
        let mut roll = self.roll.lock().await;
        for standing in roll.standing.iter_mut().filter(|standing| standing.answered.is_none()) {
            (standing.answered, standing.scope) = (Some(answered), Some(Scope::Internet));
        }
    }

    async fn sees_internet(&self) -> bool {
        let roll = self.roll.lock().await;
        roll.standing.iter().any(|one| one.answers_now && one.scope == Some(Scope::Internet))
    }

    /// True if our resolver is seen to work, no earlier than `since`: a witness that is known by its name answers.
    pub(crate) async fn names_answer(&self, since: Instant) -> bool {
        if !self.known.iter().any(Witness::has_name) {
            return false;
        }
        let mut roll = self.roll.lock().await;
        self.round_since(&mut roll, since).await;
        self.known.iter().zip(&roll.standing).any(|(witness, standing)| witness.has_name() && standing.answers_now)
    }

    /// Whether the names of witnesses still lead somewhere. Those that did within the last hour have a vote.
    pub(crate) async fn resolver(&self, since: Instant) -> Resolver {
        let mut roll = self.roll.lock().await;
        if self.resolved(&roll).next().is_none() {
            return Resolver::Works;
        }
        self.round_since(&mut roll, since).await;
        let (mut asked, mut found) = (0, false);
        for voter in self.resolved(&roll) {
            asked += 1;
            found |= voter.resolves_now;
        }
        if asked == 0 || found { Resolver::Works } else { Resolver::Fails { asked } }
    }

    fn resolved<'a>(&'a self, roll: &'a Roll) -> impl Iterator<Item = &'a Standing> {
        let standing = self.known.iter().zip(&roll.standing).filter(|(witness, _)| witness.has_name());
        standing.map(|(_, standing)| standing).filter(|one| one.resolved.is_some_and(|at| at.elapsed() < VOTE))
    }

    /// Renews votes in the background, if they are old and this attempt was at a public address.
    pub(crate) fn keep_fresh(self: &Arc<Self>, attempt: &Attempt) {
        if self.known.is_empty() || !self.is_stale() || scope_of(std::slice::from_ref(attempt)) == Scope::Private {
            return;
        }
        if self.renewing.swap(true, Relaxed) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let mut roll = this.roll.lock().await;
            this.round(&mut roll).await;
            this.renewing.store(false, Relaxed);
        });
    }

    fn is_stale(&self) -> bool {
        let last = self.last_round.load(Relaxed);
        last == 0 || self.begun.elapsed() > Duration::from_millis(last) + RENEW
    }

    async fn round_since(&self, roll: &mut Roll, since: Instant) {
        if roll.began.is_some_and(|began| began >= since) {
            return;
        }
        if let Some(began) = roll.began {
            sleep_until(began + SPACING).await;
        }
        self.round(roll).await;
    }

    async fn round(&self, roll: &mut Roll) {
        let began = Instant::now();
        let answers = join_all(self.known.iter().map(|witness| self.answers(witness))).await;
        let now = Instant::now();
        for (standing, answer) in roll.standing.iter_mut().zip(answers) {
            standing.answers_now = matches!(answer, Heard::From(_));
            standing.resolves_now = !matches!(answer, Heard::Nowhere);
            if standing.resolves_now {
                standing.resolved = Some(now);
            }
            if let Heard::From(ip) = answer {
                standing.answered = Some(now);
                standing.scope = Some(if is_public(ip) { Scope::Internet } else { Scope::Private });
            }
        }
        roll.began = Some(began);
        self.last_round.store(self.begun.elapsed().as_millis() as u64 + 1, Relaxed);
    }

    /// A connection is answer enough.
    async fn answers(&self, witness: &Witness) -> Heard {
        let host = match &witness.host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(ip) => Host::Ipv4(*ip),
            Host::Ipv6(ip) => Host::Ipv6(*ip),
        };
        let mut stage = Stage::default();
        match timeout(PATIENCE, self.door.dial(host, witness.port, None, &mut stage)).await {
            Ok(Ok(dialled)) => Heard::From(dialled.address.ip()),
            _ if stage.connecting.is_some() => Heard::Silence,
            _ => Heard::Nowhere,
        }
    }
}

impl Prober {
    /// What the witnesses say of the world at this moment; whoever `insists` also hears those without a vote.
    pub async fn world(&self, insists: bool) -> World {
        self.0.witnesses.look(insists).await
    }

    /// Whether a witness on the internet answered when they were asked last.
    pub async fn sees_internet(&self) -> bool {
        self.0.witnesses.sees_internet().await
    }

    /// Gives witnesses on the internet the vote that they earned so long ago, before this process began.
    pub async fn vouch(&self, ago: Duration) {
        self.0.witnesses.vouch(ago).await;
    }
}

/// What came of asking one witness.
#[derive(Debug, Clone, Copy)]
enum Heard {
    From(IpAddr),
    /// It has an address, which does not answer.
    Silence,
    /// Its name led to no address that may be dialled.
    Nowhere,
}

impl Witness {
    fn has_name(&self) -> bool {
        matches!(self.host, Host::Domain(_))
    }
}

impl Roll {
    fn voters(&self, scope: Scope) -> impl Iterator<Item = &Standing> {
        self.standing.iter().filter(move |standing| {
            standing.scope == Some(scope) && standing.answered.is_some_and(|answered| answered.elapsed() < VOTE)
        })
    }
}
