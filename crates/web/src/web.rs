//! What handlers are given: the store, the present, randomness, and the bells they ring after a change.

use std::fmt;
use std::sync::Arc;

pub use gazer_bus::{Changed, Live};
use gazer_domain::channel::Target;
use gazer_domain::id::{Id, Kind};
use gazer_domain::monitor::Spec;
use gazer_domain::{Invalid, MonitorId, TeamId, Timestamp};
use gazer_store::Store;
use prometheus_client::registry::Registry;
use url::Url;

use crate::auth::Doors;

/// Cheap to clone; the composition root writes every field, and tests write their own.
#[derive(Clone)]
pub struct Web {
    pub store: Store,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// [`random`] in production, a seeded one in tests.
    pub random: fn(&mut [u8]),
    pub live: Live,
    /// Rung after a commit. It must not block.
    pub wake: Arc<dyn Fn(Wake) + Send + Sync>,
    /// Refuses what only a prober can judge: a pattern or a path that does not compile.
    pub compile: Arc<Compile>,
    /// Refuses what no dial would ever be allowed to: an address or a name that the guard has closed.
    pub reach: Arc<Reach>,
    pub metrics: Arc<Registry>,
    pub doors: Arc<Doors>,
}

/// Judges a spec by compiling it.
pub type Compile = dyn Fn(&Spec) -> Result<(), Invalid> + Send + Sync;

/// Judges a URL as it is written, before any name is looked up; says why it is refused.
pub type Reach = dyn Fn(&Url) -> Result<(), String> + Send + Sync;

/// What the composition root resolved from flags, file and environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where people reach us: links and the trusted origin derive from it.
    pub public_url: Url,
    /// Whether a mail server is set; without one an e-mail channel can be kept but not used, and the page says so.
    pub mail: bool,
    /// Whether a page may hold a connection open to hear of changes; where not, it asks again and again.
    pub streams: bool,
    /// How long single checks are kept, for the charts to say how far back they go.
    pub retention: std::time::Duration,
    pub version: &'static str,
}

impl Config {
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// An absolute link to a path of ours such as `/incidents/inc_…`.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// Which function has work after a change of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A monitor changed, or somebody asked for a check now.
    Plan,
    /// Deliveries were written.
    Deliver,
}

impl Web {
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    pub fn new_id<K: Kind>(&self) -> Id<K> {
        Id::new(self.now(), self.bytes())
    }

    /// Nothing is stored that could never be checked.
    pub fn judge(&self, spec: &Spec) -> Result<(), Invalid> {
        (self.compile)(spec)
    }

    /// Nor what could never be told. (A monitor of a closed address is `unknown`, which says why; a channel to one would
    /// be silent.)
    pub fn judge_target(&self, target: &Target) -> Result<(), Invalid> {
        match target {
            Target::Webhook { url, .. } => (self.reach)(url).map_err(|why| Invalid::new("webhook.url", why)),
            Target::Email { .. } => Ok(()),
        }
    }

    /// Tells open pages and whoever plans, after the commit of a monitor that is new or resumed.
    pub fn monitor_begun(&self, team: TeamId, monitor: MonitorId) {
        (self.wake)(Wake::Plan);
        self.tell(Changed { team, monitor: Some(monitor) });
    }

    /// The same of any other change: it may have closed an incident, so deliveries may be due as well.
    pub fn monitor_changed(&self, team: TeamId, monitor: MonitorId) {
        (self.wake)(Wake::Deliver);
        self.monitor_begun(team, monitor);
    }

    /// After the commit that made deliveries due again.
    pub fn deliveries_changed(&self, team: TeamId) {
        (self.wake)(Wake::Deliver);
        self.tell(Changed { team, monitor: None });
    }

    /// Nobody listening is no failure: no page is open.
    pub fn tell(&self, changed: Changed) {
        self.live.tell(changed);
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Randomness for secrets and ids, from the operating system through aws-lc.
pub fn random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system's random source never fails once it has been seeded");
}
