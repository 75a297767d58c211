//! The parts of a process, put together from what was configured; nothing runs yet.
//!
//! Whoever runs them decides how functions are woken and where what they publish goes: [`crate::app`] by the workers
//! of one process and NATS, a Lambda by its invocations and SNS.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use anyhow::Context;
use gazer_bus::clock::system_now;
use gazer_bus::hold::Lease;
use gazer_bus::{Bus, Clock, Message, Registry, Role, SystemClock, Turns};
use gazer_channels::Channels;
use gazer_domain::monitor::Spec;
use gazer_domain::{Region, TeamId, UserId};
use gazer_functions::{Lookout, Outside, Parts, Says};
use gazer_probes::Prober;
use gazer_probes::canary::Canaries;
use gazer_store::{SealingKey, Store};
use gazer_web::{Wake, Web};
use url::Url;

use crate::config::Config;
use crate::{chance, metrics, operator, place, turn};

/// Of a process that writes no links.
const UNTOLD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Whom this start made the owner, and of which team.
pub(crate) type Owner = Option<(UserId, TeamId)>;

/// How this process hears of others and is heard.
pub struct Ties {
    /// Tells it from others; random.
    pub name: String,
    /// Where its functions publish.
    pub bus: Bus,
    /// Whose turn it is, where others have the same roles.
    pub turns: Turns,
    /// Whether the clock's turn goes on to another process every minute.
    pub hands_on: bool,
    /// How a prober says what it sees of itself; `None` where whoever plans can look for itself.
    pub says: Option<Says>,
    /// How many messages were put aside because nobody could handle them.
    pub buried: Option<metrics::Buried>,
}

impl fmt::Debug for Ties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ties").field("bus", &self.bus).finish_non_exhaustive()
    }
}

/// What a process is made of.
#[derive(Debug)]
pub struct Assembly {
    /// Those of its roles.
    pub functions: Registry,
    pub clock: Arc<dyn Clock>,
    /// Of a process that has the role of the web.
    pub site: Option<Site>,
    /// Of one whose roles need it.
    pub store: Option<Store>,
    pub(crate) metrics: Arc<prometheus_client::registry::Registry>,
}

#[derive(Debug)]
pub struct Site {
    pub(crate) store: Store,
    pub web: Web,
    pub(crate) owner: Owner,
}

impl Site {
    pub(crate) fn link(&self, path: &str) -> String {
        self.web.config.link(path)
    }
}

impl Assembly {
    /// `at` is where this process listens, and `descriptors` how many files it may open.
    pub async fn of(
        config: &Config,
        house: Option<House>,
        ties: Ties,
        at: Option<SocketAddr>,
        descriptors: u64,
    ) -> anyhow::Result<Self> {
        let Ties { name, bus, turns, hands_on, says, buried } = ties;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let has = |role| config.part.roles.contains(&role);
        let canaries = if has(Role::Check) {
            Some(Canaries::open().await.context("the canaries could not be opened on loopback")?)
        } else {
            None
        };
        let prober = Prober::new(probes(config, at, canaries)?).context("the prober could not be set up")?;
        let channels = Arc::new(Channels::new(prober.clone(), config.mail.clone()));
        let outside = Outside {
            bus: bus.clone(),
            clock: Arc::clone(&clock),
            prober: prober.clone(),
            channels: Arc::clone(&channels),
            region: config.part.region.clone(),
            says,
            name,
            checks: gazer_functions::checks_within(descriptors),
        };
        let mut parts = None;
        if let Some(house) = &house {
            let operator = config.operator.open(&house.store).await?;
            operator::judge(&operator, prober.door())?;
            let mut lookout = Lookout::new(config.part.region.clone(), config.look_every, operator);
            lookout.probes = has(Role::Check);
            parts = Some(Parts {
                store: house.store.clone(),
                bus: bus.clone(),
                clock: Arc::clone(&clock),
                hold: turns.of(Role::Plan),
                prober: prober.clone(),
                channels,
                random: chance::fill,
                retention: config.retention,
                hands_on,
                lookout: Arc::new(lookout),
            });
        }
        let functions = gazer_functions::registry(&outside, parts.as_ref()).of(&config.part.roles);
        let planning = parts.filter(|_| has(Role::Plan)).map(|parts| (parts.hold, parts.lookout));
        let metrics = Arc::new(metrics::registry(&functions, &bus, planning, buried, system_now()));
        let store = house.as_ref().map(|house| house.store.clone());
        let site = house.filter(|_| has(Role::Web)).map(|House { store, public_url, owner, .. }| {
            let mut web = web(config, public_url, store.clone(), &bus, prober, clock.clone());
            web.metrics = Arc::clone(&metrics);
            Site { store, web, owner }
        });
        Ok(Self { functions, clock, site, store, metrics })
    }
}

/// What a process of the house has: the store, and the key that everything is sealed with.
#[derive(Debug)]
pub struct House {
    pub(crate) store: Store,
    pub(crate) key: SealingKey,
    public_url: Url,
    owner: Owner,
}

impl House {
    /// Opens it, where the roles of this process need it.
    pub async fn of(config: &Config, at: Option<SocketAddr>) -> anyhow::Result<Option<Self>> {
        if !config.roles().iter().any(|role| role.needs_store()) {
            return Ok(None);
        }
        let public_url = config.public_url.clone().or_else(|| at.map(reachable)).unwrap_or_else(|| reachable(UNTOLD));
        let (store, key) = place::open(&config.place, public_url.as_str(), config.align).await?;
        store.leases_release().await.context("the leases of the last run could not be released")?;
        // Before anybody can ask for the set-up page, or find that there is no team to make a token for.
        let owner = match &config.owner {
            Some(account) => account.own(&store, system_now()).await.context("the owner could not be made")?,
            None => None,
        };
        if config.mail.is_none() {
            mailless(&store).await?;
        }
        let house = Self { store, key, public_url, owner };
        if config.roles().contains(&Role::Check) {
            house.add_region(config.region()).await?;
        }
        Ok(Some(house))
    }

    /// Monitors are checked from there as well, unless they say otherwise.
    pub async fn add_region(&self, region: &Region) -> anyhow::Result<()> {
        let added = self.store.region_add(region, system_now()).await;
        added.map(drop).context("the region of this process could not be written down")
    }

    /// The lease of the clock's turn, for a process that asks for it when it is woken.
    pub fn clock_lease(&self) -> Arc<dyn Lease> {
        turn::lease(&self.store, gazer_functions::CLOCK)
    }
}

/// Said at the start, and not first when an alert waits for a server that nobody knows is missing.
async fn mailless(store: &Store) -> anyhow::Result<()> {
    let channels = store.channels_of_kind("email").await.context("the e-mail channels could not be counted")?;
    if channels > 0 {
        tracing::warn!(channels, "e-mail channels wait: no mail server is configured, set --smtp-url and --smtp-from");
    }
    Ok(())
}

/// Where this machine's own browser finds us: a wildcard address answers on loopback.
fn reachable(at: SocketAddr) -> Url {
    let host = match at {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("[::1]:{}", v6.port()),
        at => at.to_string(),
    };
    Url::parse(&format!("http://{host}/")).expect("an address and a port make a URL")
}

fn probes(config: &Config, at: Option<SocketAddr>, canaries: Option<Canaries>) -> anyhow::Result<gazer_probes::Config> {
    let mut own = Vec::from_iter(at);
    let servers = config.place.server.iter().map(|server| ("database", server));
    let servers = servers.chain(config.part.bus.iter().flat_map(|bus| bus.hosts.iter().map(|server| ("NATS", server))));
    for (what, (host, port)) in servers {
        let found = (host.as_str(), *port).to_socket_addrs();
        own.extend(found.with_context(|| format!("the {what} server {host} has no address"))?);
    }
    Ok(gazer_probes::Config {
        egress: config.egress,
        allow: config.allow.clone(),
        own_listeners: own,
        witnesses: config.witnesses.clone(),
        canaries,
        extra_roots: config.authorities.clone(),
        ..gazer_probes::Config::new(system_now)
    })
}

fn web(config: &Config, public_url: Url, store: Store, bus: &Bus, prober: Prober, clock: Arc<dyn Clock>) -> Web {
    let bells = bus.clone();
    let door = prober.door().clone();
    Web {
        store,
        config: Arc::new(gazer_web::Config {
            public_url,
            mail: config.mail.is_some(),
            streams: true,
            retention: config.retention,
            version: env!("CARGO_PKG_VERSION"),
        }),
        clock: Arc::new(move || clock.now()),
        random: chance::fill,
        live: bus.live(),
        wake: Arc::new(move |wake| {
            bells.publish(match wake {
                Wake::Plan => Message::Plan,
                Wake::Deliver => Message::Deliver,
            });
        }),
        compile: Arc::new(move |spec| match spec {
            Spec::Http(http) => prober.compile(http).map(drop),
        }),
        reach: Arc::new(move |url| door.judge(url).map_err(|cause| cause.text)),
        metrics: Arc::default(),
        doors: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_address_is_opened_on_loopback() {
        for (at, url) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080/"),
            ("[::]:8080", "http://[::1]:8080/"),
            ("192.0.2.7:80", "http://192.0.2.7/"),
        ] {
            assert_eq!(reachable(at.parse().unwrap()).as_str(), url);
        }
    }
}
