//! A running Gazer, or the part of it that this process takes on: where every library meets its neighbours.
//!
//! It is put together from the bottom up: the address is bound first, so that a second start fails before it touches
//! anything, then the store, the door to the outside world, the functions, the web. It ends from the top down: no new
//! connections and no new claims, what is being sent settles, the store closes. A kill at any point loses nothing that
//! was told to somebody: what matters is a row, and [`gazer_store::Store::leases_release`] gives the rows back to the
//! next start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gazer_bus::clock::system_now;
use gazer_bus::hold::Keeper;
use gazer_bus::nats::Carrying;
use gazer_bus::{Bus, Clock, Message, Role, Running, SystemClock, Turns};
use gazer_channels::Channels;
use gazer_domain::monitor::Spec;
use gazer_domain::{TeamId, UserId};
use gazer_functions::{Lookout, Outside, Parts};
use gazer_probes::Prober;
use gazer_probes::canary::Canaries;
use gazer_store::{SealingKey, Store};
use gazer_web::{Wake, Web, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::config::Config;
use crate::{chance, cluster, limits, metrics, operator, place, turn};

/// What is under way when the end is asked for may take this long; with the rest an exit stays below ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// Requests get this long to finish; live pages never do.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
const FAREWELL: Duration = Duration::from_secs(1);
/// Of a process that writes no links.
const UNTOLD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Whom this start made the owner, and of which team.
pub(crate) type Owner = Option<(UserId, TeamId)>;

#[derive(Debug)]
pub(crate) struct App {
    /// Of a process that has the role of the web.
    pub(crate) site: Option<Site>,
    /// Of one whose roles need it.
    store: Option<Store>,
    running: Running,
    carrying: Option<Carrying>,
    turns: Vec<Keeper>,
    /// The pages, or what a process without pages says of itself.
    served: Option<Served>,
}

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) web: Web,
    pub(crate) owner: Owner,
}

#[derive(Debug)]
struct Served {
    task: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl App {
    /// `extend` adds routes of the caller's own to the site.
    pub(crate) async fn start(
        config: Config,
        extend: impl FnOnce(&Web, Owner, axum::Router) -> axum::Router,
    ) -> anyhow::Result<Self> {
        let descriptors = limits::raise();
        let listener = match config.listen {
            Some(at) => Some(listen(at).await?),
            None => None,
        };
        let at = listener.as_ref().map(TcpListener::local_addr).transpose();
        let at = at.context("the listening address could not be read")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let house = if config.part.roles.iter().any(|role| role.needs_store()) {
            Some(House::open(&config, at).await?)
        } else {
            None
        };
        let name = chance::secret();
        let (bus, nats) = cluster::join(&config, name.clone(), house.as_ref().map(|house| &house.key)).await?;

        let has = |role| config.part.roles.contains(&role);
        let canaries = if has(Role::Check) {
            Some(Canaries::open().await.context("the canaries could not be opened on loopback")?)
        } else {
            None
        };
        let prober = Prober::new(probes(&config, at, canaries)?).context("the prober could not be set up")?;
        let channels = Arc::new(Channels::new(prober.clone(), config.mail.clone()));
        let outside = Outside {
            bus: bus.clone(),
            clock: Arc::clone(&clock),
            prober: prober.clone(),
            channels: Arc::clone(&channels),
            region: config.part.region.clone(),
            says_every: nats.as_ref().map(|_| config.look_every),
            name,
            checks: gazer_functions::checks_within(descriptors),
        };
        let (mut turns, mut keepers, mut parts) = (Turns::default(), Vec::new(), None);
        if let Some(house) = &house {
            (turns, keepers) = turn::of(&house.store, &config.place, &config.part.roles).await?;
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
                lookout: Arc::new(lookout),
            });
        }
        let functions = gazer_functions::registry(&outside, parts.as_ref()).of(&config.part.roles);
        let planning = parts.filter(|_| has(Role::Plan)).map(|parts| (parts.hold, parts.lookout));
        let buried = nats.as_ref().map(|nats| Box::new(nats.buried()) as metrics::Buried);
        let metrics = Arc::new(metrics::registry(&functions, &bus, planning, buried, system_now()));

        let store = house.as_ref().map(|house| house.store.clone());
        let site = house.filter(|_| has(Role::Web)).map(|House { store, public_url, owner, .. }| {
            let mut web = web(&config, public_url, store.clone(), &bus, prober, clock.clone());
            web.metrics = Arc::clone(&metrics);
            Site { store, web, owner }
        });
        let router = match &site {
            Some(site) => extend(&site.web, site.owner, gazer_web::router(site.web.clone())),
            None => gazer_web::operation::plain_router(metrics),
        };

        let running = gazer_bus::start(&functions, &bus, &clock, &turns);
        let carrying = nats.map(|nats| nats.carry(&functions, &turns, &config.part.roles));
        let served = listener.map(|listener| {
            let (stop, stopped) = watch::channel(());
            let task = tokio::spawn(serve::serve(listener, router, serve::Limits::of(descriptors), stopped));
            Served { task, stop }
        });
        Ok(Self { site, store, running, carrying, turns: keepers, served })
    }

    /// Ends in order, in less than ten seconds.
    pub(crate) async fn drain(mut self) {
        if let Some(served) = &self.served {
            let _ = served.stop.send(());
        }
        if let Some(carrying) = &mut self.carrying {
            carrying.take_no_more().await;
        }
        self.running.drain(PATIENCE).await;
        if let Some(carrying) = self.carrying {
            carrying.close().await;
        }
        for turn in self.turns {
            turn.release().await;
        }
        if let Some(Served { task, .. }) = self.served {
            let abort = task.abort_handle();
            if tokio::time::timeout(LAST_ANSWERS, task).await.is_err() {
                abort.abort();
            }
        }
        if let Some(store) = self.store {
            // A page that is still being read may hold a connection; what was committed is safe without this farewell.
            let _ = tokio::time::timeout(FAREWELL, store.close()).await;
        }
    }
}

impl Site {
    pub(crate) fn link(&self, path: &str) -> String {
        self.web.config.link(path)
    }
}

/// What a process of the house has: the store, and the key that everything is sealed with.
struct House {
    store: Store,
    key: SealingKey,
    public_url: Url,
    owner: Owner,
}

impl House {
    async fn open(config: &Config, at: Option<SocketAddr>) -> anyhow::Result<Self> {
        let public_url = config.public_url.clone().or_else(|| at.map(reachable)).unwrap_or_else(|| reachable(UNTOLD));
        let (store, key) = place::open(&config.place, public_url.as_str()).await?;
        store.leases_release().await.context("the leases of the last run could not be released")?;
        // Before anybody can ask for the set-up page, or find that there is no team to make a token for.
        let owner = match &config.owner {
            Some(account) => account.own(&store, system_now()).await.context("the owner could not be made")?,
            None => None,
        };
        if config.mail.is_none() {
            mailless(&store).await?;
        }
        if config.part.roles.contains(&Role::Check) {
            let owned = store.region_add(&config.part.region, system_now()).await;
            owned.context("the region of this process could not be written down")?;
        }
        Ok(Self { store, key, public_url, owner })
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

async fn listen(at: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(at).await;
    bound.with_context(|| format!("cannot listen on {at}; choose another address with --listen"))
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
