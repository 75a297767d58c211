//! The driver for several processes: NATS JetStream carries what they publish to whoever has the role.
//!
//! A process publishes into its own queues ([`Bus`]); `publish` carries those out, `pull` brings in what the
//! functions of this process consume, and says what became of it once they are done. A message whose process dies is
//! delivered to another one. `streams` says how each topic is kept, `tend` sees to it that streams and consumers are
//! there whenever the connection is, also after a server that came back with nothing. Since the truth is in rows, the
//! loss of all of it costs time and no notification.
//!
//! Two kinds of process connect. Those of the *house* have the store and its key, and make what is missing. A *prober*
//! has its region's key, and may be given an account that lets it take that region's checks and publish what it saw, no
//! more: what comes on a region's subject was seen in that region, whatever is written in it.

mod changed;
mod gauge;
mod publish;
mod pull;
mod streams;
mod tend;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use async_nats::ServerAddr;
use async_nats::jetstream::Context;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use gazer_domain::Region;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::message::Topic;
use crate::parcel::{Packer, Size};
use crate::seal::Seals;
use crate::{Bus, Registry, Role, Turns, Wake, lock};

/// A server that was lost is looked for so often.
const RECONNECT: Duration = Duration::from_millis(250);
/// A request to the server that takes longer is made again.
const PATIENCE: Duration = Duration::from_secs(2);
/// What was acknowledged and published at the end is on its way by then.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes well below the mebibyte that a server takes; and probers share what they are given, so it is given in portions.
const SIZE: Size = Size { bytes: 256 * 1024, checks: 100 };

#[derive(Debug)]
pub struct Options {
    pub servers: Vec<ServerAddr>,
    /// As `nsc` writes them: a JWT and a seed.
    pub credentials: Option<PathBuf>,
    /// Authorities that are trusted besides those of the system.
    pub authorities: Option<PathBuf>,
    /// Tells processes apart; random.
    pub name: String,
    /// Where this process probes from.
    pub region: Region,
    /// Whether it makes streams and consumers, which a prober need not be allowed to.
    pub is_house: bool,
    pub seals: Seals,
    /// How many servers of a NATS cluster keep each stream.
    pub replicas: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the credentials {0} cannot be read")]
    Credentials(PathBuf, #[source] std::io::Error),
    #[error("NATS cannot be joined")]
    Connect(#[source] async_nats::ConnectError),
}

/// The connection; the tasks that carry share it.
#[derive(Debug)]
struct Link {
    client: Client,
    stream: Context,
    packer: Packer,
    is_house: bool,
    replicas: usize,
    /// The connection since which streams and consumers are known to be there; `None` while they are not.
    ready: watch::Sender<Option<u64>>,
    /// When the last connection was lost.
    gone: Arc<Mutex<Option<Instant>>>,
    /// Something that should be there is not.
    doubt: Notify,
    /// Given up after several deliveries, or unreadable.
    buried: AtomicU64,
}

/// A connection that is not in use yet.
#[derive(Debug)]
pub struct Nats {
    link: Arc<Link>,
    bus: Bus,
    connected: watch::Receiver<u64>,
}

/// Carries messages until it is closed.
#[derive(Debug)]
pub struct Carrying {
    link: Arc<Link>,
    pulls: JoinSet<()>,
    _others: JoinSet<()>,
}

impl Nats {
    /// A server that cannot be reached is looked for in the background, so that a start does without it as a running
    /// process does; one that refuses us is an error.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let (connections, connected) = watch::channel(0_u64);
        let (connections, gone) = (Arc::new(connections), Arc::new(Mutex::default()));
        let settings = async || settings(&options, &connections, &gone).await;
        let client = match settings().await?.connect(&options.servers[..]).await {
            Err(err) if is_absence(err.kind()) => {
                tracing::warn!(error = &err as &dyn std::error::Error, "NATS does not answer, and is looked for");
                settings().await?.retry_on_initial_connect().connect(&options.servers[..]).await
            }
            connected => connected,
        };
        let client = client.map_err(Error::Connect)?;
        let mut stream = async_nats::jetstream::new(client.clone());
        stream.set_timeout(PATIENCE);
        let link = Link {
            client,
            stream,
            packer: Packer::new(options.name, options.region, options.seals, SIZE),
            is_house: options.is_house,
            replicas: options.replicas,
            ready: watch::Sender::new(None),
            gone,
            doubt: Notify::new(),
            buried: AtomicU64::new(0),
        };
        Ok(Self { link: Arc::new(link), bus: Bus::carried(), connected })
    }

    /// Where this process publishes.
    pub fn bus(&self) -> Bus {
        self.bus.clone()
    }

    /// What a prober of that region is given.
    pub fn buried(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let link = Arc::clone(&self.link);
        move || link.buried.load(Ordering::Relaxed)
    }

    /// Begins to carry, for these functions.
    pub fn carry(self, registry: &Registry, turns: &Turns, roles: &[Role]) -> Carrying {
        let Self { link, bus, connected } = self;
        let (mut pulls, mut others) = (JoinSet::new(), JoinSet::new());
        others.spawn(tend::tend(Arc::clone(&link), bus.clone(), connected));
        for topic in Topic::ALL {
            others.spawn(publish::carry(Arc::clone(&link), bus.clone(), topic));
        }
        for function in registry.functions() {
            for wake in function.wakes() {
                let Wake::Topic(topic) = wake else { continue };
                let turn = turns.of_function(&**function);
                pulls.spawn(pull::pull(Arc::clone(&link), bus.clone(), *topic, turn));
            }
        }
        for role in [Role::Plan, Role::Deliver].into_iter().filter(|role| roles.contains(role)) {
            others.spawn(gauge::gauge(Arc::clone(&link), bus.clone(), role, turns.of(role)));
        }
        others.spawn(changed::tell(Arc::clone(&link), bus.live()));
        if roles.contains(&Role::Web) {
            others.spawn(changed::hear(Arc::clone(&link), bus.live()));
        }
        Carrying { link, pulls, _others: others }
    }
}

impl Carrying {
    /// Takes nothing new; what was taken is still worked on, and what comes of it still published.
    pub async fn take_no_more(&mut self) {
        self.pulls.shutdown().await;
    }

    /// After the last message: what was acknowledged and published goes out.
    pub async fn close(self) {
        let _ = tokio::time::timeout(FAREWELL, self.link.client.flush()).await;
    }
}

impl Link {
    /// The number of the connection, once everything that is needed is there.
    async fn ready(&self) -> u64 {
        let mut ready = self.ready.subscribe();
        let made = ready.wait_for(Option::is_some).await;
        // The sender lives as long as we do.
        made.ok().and_then(|made| *made).unwrap_or_default()
    }

    /// Until the connection is another one than that.
    async fn outlived(&self, connection: u64) {
        let mut ready = self.ready.subscribe();
        let _ = ready.wait_for(|made| *made != Some(connection)).await;
    }
}

async fn settings(
    options: &Options,
    connections: &Arc<watch::Sender<u64>>,
    gone: &Arc<Mutex<Option<Instant>>>,
) -> Result<ConnectOptions, Error> {
    let (connections, lost) = (Arc::clone(connections), Arc::clone(gone));
    let mut settings = ConnectOptions::new()
        .name(format!("gazer {}", options.name))
        // What is for this process must not be readable by whoever may read the inbox of another region.
        .custom_inbox_prefix(format!("_INBOX_{}", options.region))
        .reconnect_delay_callback(|_| RECONNECT)
        .event_callback(move |event| {
            heard(&connections, &lost, &event);
            std::future::ready(())
        });
    let named = options.servers.iter().find_map(|server| Some((server.username()?, server.password()?)));
    if let Some((user, password)) = named {
        settings = settings.user_and_password(user.to_owned(), password.to_owned());
    }
    if let Some(path) = &options.credentials {
        let read = settings.credentials_file(path).await;
        settings = read.map_err(|err| Error::Credentials(path.clone(), err))?;
    }
    if let Some(authorities) = &options.authorities {
        settings = settings.add_root_certificates(authorities.clone());
    }
    Ok(settings)
}

const fn is_absence(kind: ConnectErrorKind) -> bool {
    matches!(kind, ConnectErrorKind::Io | ConnectErrorKind::Dns | ConnectErrorKind::TimedOut)
}

fn heard(connections: &watch::Sender<u64>, lost: &Mutex<Option<Instant>>, event: &Event) {
    match event {
        Event::Connected => {
            connections.send_modify(|number| *number += 1);
            tracing::info!("connected to NATS");
        }
        Event::Disconnected => {
            *lock(lost) = Some(Instant::now());
            tracing::warn!("NATS is gone; what is published waits until it is back");
        }
        // A server that is away is said once; each try in vain is not.
        Event::ClientError(error) => tracing::debug!(%error, "NATS"),
        event => tracing::warn!(%event, "NATS"),
    }
}
