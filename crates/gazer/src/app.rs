//! A running Gazer, or the part of it that this process takes on.
//!
//! It is put together from the bottom up: the address is bound first, so that a second start fails before it touches
//! anything, then the store, the door to the outside world, the functions, the web. It ends from the top down: no new
//! connections and no new claims, what is being sent settles, the store closes. A kill at any point loses nothing that
//! was told to somebody: what matters is a row, and [`gazer_store::Store::leases_release`] gives the rows back to the
//! next start.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use gazer_bus::Running;
use gazer_bus::hold::Keeper;
use gazer_bus::nats::Carrying;
use gazer_functions::Says;
use gazer_store::Store;
use gazer_web::{Web, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::assembly::{Assembly, House, Owner, Site, Ties};
use crate::config::Config;
use crate::issues::{Heard, Speaker};
use crate::{chance, cluster, limits, metrics, turn};

/// What is under way when the end is asked for may take this long; with the rest an exit stays below ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// Requests get this long to finish; live pages never do.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
const FAREWELL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct App {
    /// Of a process that has the role of the web.
    pub(crate) site: Option<Site>,
    /// Of one whose roles need it.
    store: Option<Store>,
    running: Running,
    /// Says what goes wrong here.
    reporting: JoinHandle<()>,
    carrying: Option<Carrying>,
    turns: Vec<Keeper>,
    /// The pages, or what a process without pages says of itself.
    served: Option<Served>,
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
        heard: Heard,
        extend: impl FnOnce(&Web, Owner, axum::Router) -> axum::Router,
    ) -> anyhow::Result<Self> {
        let descriptors = limits::raise();
        let listener = match config.listen {
            Some(at) => Some(listen(at).await?),
            None => None,
        };
        let at = listener.as_ref().map(TcpListener::local_addr).transpose();
        let at = at.context("the listening address could not be read")?;
        let house = House::of(&config, at).await?;
        let (turns, keepers) = match &house {
            Some(house) => turn::of(&house.store, &config.place, &config.part.roles).await?,
            None => Default::default(),
        };
        let name = chance::secret();
        let (bus, nats) = cluster::join(&config, name.clone(), house.as_ref().map(|house| &house.key)).await?;
        let speaker = Speaker { process: name.clone(), region: config.part.region.clone() };
        let ties = Ties {
            name,
            bus: bus.clone(),
            turns: turns.clone(),
            hands_on: false,
            says: nats.as_ref().map(|_| Says { every: config.look_every, is_heard: true }),
            buried: nats.as_ref().map(|nats| Box::new(nats.buried()) as metrics::Buried),
        };
        let assembly = Assembly::of(&config, house, ties, at, descriptors).await?;
        let Assembly { functions, clock, site, store, metrics } = assembly;
        let router = match &site {
            Some(site) => extend(&site.web, site.owner, gazer_web::router(site.web.clone())),
            None => gazer_web::operation::plain_router(metrics),
        };

        let reporting = tokio::spawn(heard.keep_publishing(bus.clone(), speaker));
        let running = gazer_bus::start(&functions, &bus, &clock, &turns);
        let carrying = nats.map(|nats| nats.carry(&functions, &turns, &config.part.roles));
        let served = listener.map(|listener| {
            let (stop, stopped) = watch::channel(());
            let task = tokio::spawn(serve::serve(listener, router, serve::Limits::of(descriptors), stopped));
            Served { task, stop }
        });
        Ok(Self { site, store, running, reporting, carrying, turns: keepers, served })
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
        self.reporting.abort();
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

async fn listen(at: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(at).await;
    bound.with_context(|| format!("cannot listen on {at}; choose another address with --listen"))
}
