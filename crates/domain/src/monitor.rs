//! What is watched, how often, and what counts as good.

use std::time::Duration;

use crate::cadence::{self, Cadence};
use crate::http::HttpSpec;
use crate::region::MOST_REGIONS;
use crate::{Invalid, MonitorId, Quorum, Region, Timestamp};

const NAME_CHARS: usize = 120;
const MOST_ATTEMPTS: u8 = 5;
const LONGEST_GAP: Duration = Duration::from_secs(10);
const MOST_RECOVERY: u8 = 10;

/// The kinds of monitor; a new kind is a new variant, and the compiler lists what to update.
#[derive(Debug, Clone, PartialEq)]
pub enum Spec {
    Http(HttpSpec),
}

impl Spec {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
        }
    }

    /// What people recognise the target by.
    pub fn target(&self) -> &str {
        match self {
            Self::Http(http) => http.url.as_str(),
        }
    }

    pub const fn timeout(&self) -> Duration {
        match self {
            Self::Http(http) => http.timeout,
        }
    }
}

/// How a first failure is verified before anybody is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify {
    /// Further attempts after a failed one; 0 believes the first.
    pub attempts: u8,
    pub gap: Duration,
}

impl Verify {
    /// The longest that a check takes, each of whose attempts takes its whole timeout.
    pub fn longest(self, timeout: Duration) -> Duration {
        let again = u32::from(self.attempts);
        timeout * (1 + again) + self.gap * again
    }
}

impl Default for Verify {
    fn default() -> Self {
        Self { attempts: 2, gap: Duration::from_secs(1) }
    }
}

/// What a person decides about a monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub name: String,
    pub spec: Spec,
    pub interval: Duration,
    pub verify: Verify,
    /// Good checks in a row that end an outage.
    pub recover_after: u8,
    /// Where it is checked from, sorted, each once. Empty is every region there is, also one that is yet to come.
    pub regions: Vec<Region>,
    /// In how many of them it must be down to be down.
    pub quorum: Quorum,
}

impl Settings {
    pub fn validate(&self) -> Result<(), Invalid> {
        validate_name(&self.name)?;
        match &self.spec {
            Spec::Http(http) => http.validate()?,
        }
        cadence::validate_interval(self.interval)?;
        if self.verify.attempts > MOST_ATTEMPTS {
            return Err(Invalid::new("verify.attempts", "must be between 0 and 5"));
        }
        if self.verify.gap > LONGEST_GAP {
            return Err(Invalid::new("verify.gap", "must be at most 10s"));
        }
        if self.recover_after == 0 || self.recover_after > MOST_RECOVERY {
            return Err(Invalid::new("recover_after", "must be between 1 and 10"));
        }
        if self.regions.len() > MOST_REGIONS {
            return Err(Invalid::new("regions", "must name at most 20 regions; none is every region there is"));
        }
        if let Some(at) = self.regions.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(Invalid::new(format!("regions[{}]", at + 1), "must come after the one before it, and once"));
        }
        Ok(())
    }
}

/// A monitor as it stands. Every change of its settings makes a new revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    pub id: MonitorId,
    pub settings: Settings,
    pub revision: u32,
    pub created: Timestamp,
    /// When the present cadence began to hold.
    pub cadence_since: Timestamp,
    /// The grid on which its slots lie; none where they are spread. The store's, and no setting of the monitor.
    pub align: Duration,
    pub paused: bool,
}

/// All that whoever probes is told of a monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    pub id: MonitorId,
    pub revision: u32,
    pub spec: Spec,
    pub verify: Verify,
}

impl From<Monitor> for Brief {
    fn from(Monitor { id, revision, settings, .. }: Monitor) -> Self {
        Self { id, revision, spec: settings.spec, verify: settings.verify }
    }
}

impl Monitor {
    /// One that begins now.
    pub fn new(id: MonitorId, settings: Settings, now: Timestamp) -> Self {
        Self { id, settings, revision: 1, created: now, cadence_since: now, align: Duration::ZERO, paused: false }
    }

    pub fn cadence(&self) -> Cadence {
        Cadence::new(self.id, self.settings.interval, self.cadence_since).aligned(self.align)
    }
}

/// Names of monitors, channels, rules and tokens share one bound.
pub fn validate_name(name: &str) -> Result<(), Invalid> {
    if name.trim().is_empty() {
        return Err(Invalid::new("name", "must not be empty"));
    }
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Invalid::new("name", "must be at most 120 characters on one line"));
    }
    Ok(())
}
