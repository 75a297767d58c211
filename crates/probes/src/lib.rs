//! The only door to the outside world, and what goes through it.
//!
//! A [`Prober`] is made once from a [`Config`] and cloned freely. [`Prober::compile`] turns a monitor's settings into a
//! [`Plan`] once per revision; [`Prober::attempt`] asks the site once; [`Prober::check`] does what one slot asks for: a
//! first attempt, verification of a failure over fresh connections, and a word with the [`witness`]es before it says
//! that a site is down. None of these can fail: a failing site is data, and so is our own inability, which becomes
//! `unknown`. [`Prober::post`] is the same door for messages to people.
//! [`Prober::canaries`] and [`Prober::world`] ask whether we see at all.
//!
//! Absent on purpose: caches of names, connection pools, TLS resumption, proxies from the environment. Each would make
//! a check say something about the last check instead of about the site.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

pub mod canary;
pub mod check;
mod http;
pub mod net;
pub mod post;
pub mod witness;

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::HeaderValue;
use gazer_domain::http::HttpSpec;
use gazer_domain::observation::Attempt;
use gazer_domain::{Invalid, Timestamp};
use rustls_pki_types::CertificateDer;

pub use crate::check::{Job, Keep};
pub use crate::http::Plan;
use crate::http::exchange::Means;
pub use crate::net::{AllowRule, Cidr, Egress};
use crate::net::{Door, Guard, Kernel, Names, Sockets, Wire, tls};
pub use crate::post::Receipt;

/// Where a prober stands and what it may reach.
#[derive(Debug, Clone)]
pub struct Config {
    pub egress: Egress,
    pub allow: Vec<AllowRule>,
    /// Trusted besides Mozilla's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Empty: the machine's own.
    pub resolvers: Vec<SocketAddr>,
    /// What this Gazer listens on, and its databases: never probed.
    pub own_listeners: Vec<SocketAddr>,
    pub witnesses: Vec<witness::Witness>,
    /// What this process asks of itself, to know that it sees. No monitor reaches it.
    pub canaries: Option<canary::Canaries>,
    /// Memory that the bodies of all concurrent checks share.
    pub body_budget_bytes: usize,
    pub user_agent: String,
    /// The present, for what is verified against it.
    pub now: fn() -> Timestamp,
}

impl Config {
    /// The defaults of one closed team.
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self {
            egress: Egress::Open,
            allow: Vec::new(),
            extra_roots: Vec::new(),
            resolvers: Vec::new(),
            own_listeners: Vec::new(),
            witnesses: witness::well_known(),
            canaries: None,
            body_budget_bytes: 32 << 20,
            user_agent: concat!("Gazer/", env!("CARGO_PKG_VERSION")).into(),
            now,
        }
    }
}

/// Why there is no prober.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("setting up TLS for probes")]
    Tls(#[source] tls::Error),
    #[error("setting up the resolver for probes")]
    Resolver(#[source] hickory_resolver::net::NetError),
    #[error("the user agent {0:?} cannot be sent in a header")]
    UserAgent(String),
    #[error("setting up the canaries")]
    Canary(#[source] Invalid),
}

/// Asks sites; cheap to clone.
#[derive(Debug, Clone)]
pub struct Prober(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    means: Means,
    witnesses: Arc<witness::Witnesses>,
    cage: Option<canary::Cage>,
    user_agent: HeaderValue,
    now: fn() -> Timestamp,
}

impl Prober {
    pub fn new(config: Config) -> Result<Self, Error> {
        // Absent is the same as empty: containers often have none.
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let wire = Wire::new(&config.resolvers, &hosts).map_err(Error::Resolver)?;
        Self::over(config, Arc::new(wire), Arc::new(Kernel))
    }

    /// Over another source of names and another network, as tests have.
    pub fn over(config: Config, names: Arc<dyn Names>, sockets: Arc<dyn Sockets>) -> Result<Self, Error> {
        let user_agent =
            HeaderValue::from_str(&config.user_agent).map_err(|_| Error::UserAgent(config.user_agent.clone()))?;
        let tls = tls::Tls::new(&config.extra_roots).map_err(Error::Tls)?;
        let mut own = config.own_listeners;
        own.extend(config.canaries.iter().flat_map(canary::Canaries::addresses));
        let guard = Guard::new(config.egress, config.allow, own);
        let door = Door::new(guard, Arc::clone(&names), Arc::clone(&sockets));
        let cage = config.canaries.map(|canaries| canary::Cage::new(canaries, names, sockets, &user_agent));
        let cage = cage.transpose()?;
        let witnesses = Arc::new(witness::Witnesses::new(config.witnesses, door.clone()));
        let means = Means { door, tls, budget: http::Budget::new(config.body_budget_bytes) };
        Ok(Self(Arc::new(Inner { means, witnesses, cage, user_agent, now: config.now })))
    }

    /// Makes a monitor ready; names the field that cannot be.
    pub fn compile(&self, spec: &HttpSpec) -> Result<Plan, Invalid> {
        Plan::compile(spec, &self.0.user_agent)
    }

    /// One try within the plan's timeout, over another address than `avoid` where there is one.
    pub async fn attempt(&self, plan: &Plan, avoid: Option<SocketAddr>) -> Attempt {
        http::attempt(&self.0.means, plan, avoid, (self.0.now)()).await.0
    }

    /// The door itself, for other protocols than HTTP.
    pub fn door(&self) -> &Door {
        &self.0.means.door
    }
}
