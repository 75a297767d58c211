//! A running Gazer on one machine: where every library meets its neighbours.
//!
//! It is put together from the bottom up: the address is bound first, so that a second start fails before it touches
//! anything, then the store, the door to the outside world, the functions, the web. It ends from the top down: no new
//! connections and no new claims, what is being sent settles, the store closes. A kill at any point loses nothing that
//! was told to somebody: what matters is a row, and [`gazer_store::Store::leases_release`] gives the rows back to the
//! next start.

use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gazer_bus::clock::system_now;
use gazer_bus::hold::Keeper;
use gazer_bus::local::{self, Running};
use gazer_bus::{Bus, Clock, Message, SystemClock};
use gazer_channels::Channels;
use gazer_domain::monitor::Spec;
use gazer_domain::{Region, TeamId, UserId};
use gazer_functions::{Lookout, Parts};
use gazer_probes::Prober;
use gazer_probes::canary::Canaries;
use gazer_store::{Options, SealingKey, Store};
use gazer_web::{Wake, Web, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::config::{Config, Place};
use crate::{chance, limits, metrics, operator, turn};

/// What is under way when the end is asked for may take this long; with the rest an exit stays below ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// Requests get this long to finish; live pages never do.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
const FAREWELL: Duration = Duration::from_secs(1);
/// The key lies beside what it seals, for its owner only.
const KEY_FILE: &str = "gazer.key";

/// Whom this start made the owner, and of which team.
pub(crate) type Owner = Option<(UserId, TeamId)>;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) web: Web,
    pub(crate) owner: Owner,
    running: Running,
    turn: Option<Keeper>,
    site: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl App {
    /// `extend` adds routes of the caller's own to the site.
    pub(crate) async fn start(
        config: Config,
        extend: impl FnOnce(&Web, Owner, axum::Router) -> axum::Router,
    ) -> anyhow::Result<Self> {
        let descriptors = limits::raise();
        let limits = serve::Limits::of(descriptors);
        let listener = listen(config.listen).await?;
        let at = listener.local_addr().context("the listening address could not be read")?;
        let public_url = config.public_url.clone().unwrap_or_else(|| reachable(at));

        let store = open(&config.place, public_url.as_str()).await?;
        store.leases_release().await.context("the leases of the last run could not be released")?;
        // Before anybody can ask for the set-up page, or find that there is no team to make a token for.
        let owner = match &config.owner {
            Some(account) => account.own(&store, system_now()).await.context("the owner could not be made")?,
            None => None,
        };
        if config.mail.is_none() {
            mailless(&store).await?;
        }

        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let bus = Bus::new();
        let canaries = Canaries::open().await.context("the canaries could not be opened on loopback")?;
        let prober = Prober::new(probes(&config, at, canaries)?).context("the prober could not be set up")?;
        let operator = config.operator.open(&store).await?;
        operator::judge(&operator, prober.door())?;
        let region = Region::local();
        store
            .region_own(&region, system_now())
            .await
            .context("the region of this process could not be written down")?;
        let lookout = Arc::new(Lookout::new(region, config.look_every, operator));
        let channels = Arc::new(Channels::new(prober.clone(), config.mail.clone()));
        let (hold, turn) = turn::of(&store, &config.place).await?;
        let parts = Parts {
            store: store.clone(),
            bus: bus.clone(),
            clock: Arc::clone(&clock),
            hold: hold.clone(),
            prober: prober.clone(),
            channels,
            random: chance::fill,
            retention: config.retention,
            lookout: Arc::clone(&lookout),
            checks: gazer_functions::checks_within(descriptors),
        };
        let functions = gazer_functions::registry(&parts);
        let mut web = web(&config, public_url, store.clone(), &bus, prober, clock.clone());
        web.metrics = Arc::new(metrics::registry(&functions, &bus, &hold, lookout, system_now()));
        let router = extend(&web, owner, gazer_web::router(web.clone()));

        let running = local::start(&functions, &bus, &clock, &hold);
        let (stop, stopped) = watch::channel(());
        let site = tokio::spawn(serve::serve(listener, router, limits, stopped));
        Ok(Self { store, web, owner, running, turn, site, stop })
    }

    pub(crate) fn link(&self, path: &str) -> String {
        self.web.config.link(path)
    }

    /// Ends in order, in less than ten seconds.
    pub(crate) async fn drain(self) {
        let _ = self.stop.send(());
        self.running.drain(PATIENCE).await;
        if let Some(turn) = self.turn {
            turn.release().await;
        }
        let abort = self.site.abort_handle();
        if tokio::time::timeout(LAST_ANSWERS, self.site).await.is_err() {
            abort.abort();
        }
        // A page that is still being read may hold a connection; what was committed is safe without this farewell.
        let _ = tokio::time::timeout(FAREWELL, self.store.close()).await;
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

async fn open(place: &Place, public_url: &str) -> anyhow::Result<Store> {
    let data = &place.data;
    // What is in it is for its owner only: hashes of passwords, addresses, bodies of failures.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    let path = data.join(KEY_FILE);
    let key =
        SealingKey::load_or_create(&path).with_context(|| format!("the key {} cannot be used", path.display()))?;
    let public_url = public_url.trim_end_matches('/').to_owned();
    let options = Options { location: place.location.clone(), key, public_url };
    Store::open(options).await.map_err(|err| explained(err, place))
}

/// Opens what a running Gazer may hold as well: for commands that read or write a row and leave.
pub(crate) async fn open_beside(place: &Place) -> anyhow::Result<Store> {
    let data = &place.data;
    // A folder that was misspelt must not become a new, empty Gazer.
    anyhow::ensure!(
        data.is_dir(),
        "there is no folder {}; --data names the one that `gazer serve` uses",
        data.display()
    );
    let path = place.data.join(KEY_FILE);
    let key = SealingKey::load(&path).with_context(|| format!("the key {} cannot be used", path.display()))?;
    let key = key.with_context(|| {
        format!("there is no key {}: start `gazer serve` once, or name its folder with --data", path.display())
    })?;
    // Nothing that such a command does is told to anybody, so no link is made.
    let options = Options { location: place.location.clone(), key, public_url: String::new() };
    Store::open_beside(options).await.map_err(|err| explained(err, place))
}

/// The store knows neither where its key lies nor how we are called.
fn explained(error: gazer_store::Error, place: &Place) -> anyhow::Error {
    use gazer_store::Error::{Behind, FromTheFuture, OtherKey};
    match error {
        OtherKey => anyhow::anyhow!(
            "the key {} does not open this database, which was sealed with another one: put the {KEY_FILE} there that \
             belongs to it, from the backup of its data folder or from the other Gazer that uses it (where there is \
             no key, a new one is made, which is of no use to this database)",
            place.data.join(KEY_FILE).display()
        ),
        Behind { .. } => anyhow::anyhow!("{error}: start `gazer serve` once with this version, to bring it forward"),
        FromTheFuture { .. } => {
            anyhow::anyhow!("{error}: use the version of gazer that served it last, or a newer one")
        }
        _ => error.into(),
    }
}

fn probes(config: &Config, at: SocketAddr, canaries: Canaries) -> anyhow::Result<gazer_probes::Config> {
    let mut own = vec![at];
    if let Some((host, port)) = &config.place.server {
        let found = (host.as_str(), *port).to_socket_addrs();
        own.extend(found.with_context(|| format!("the database server {host} has no address"))?);
    }
    Ok(gazer_probes::Config {
        egress: config.egress,
        allow: config.allow.clone(),
        own_listeners: own,
        witnesses: config.witnesses.clone(),
        canaries: Some(canaries),
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
