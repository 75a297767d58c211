//! An incident: opened when a monitor turns down, regional or slow, closed when it recovers, with numbered events
//! between.
//!
//! At most one is open per monitor. `down` supersedes `regional`, and that `slow`, within the same incident. `unknown`
//! neither opens nor closes one. A pause or a deletion closes it with an event of its own; an edit and a restart leave
//! it open, and the next check decides.

use std::fmt;
use std::time::Duration;

use crate::cause::{Cause, Code};
use crate::period::Status;
use crate::{IncidentId, Timestamp};

/// What kind of trouble, the graver the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trouble {
    Slow,
    /// Down in some regions, below the quorum.
    Regional,
    Down,
}

impl Trouble {
    /// The event that it begins with.
    pub const fn event(self) -> EventKind {
        match self {
            Self::Slow => EventKind::Slow,
            Self::Regional => EventKind::Regional,
            Self::Down => EventKind::Down,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    Down,
    Regional,
    Slow,
    Recovered,
    /// The monitor was paused; nobody knows whether the site recovered.
    Paused,
    /// The monitor was deleted.
    Deleted,
}

impl EventKind {
    pub const ALL: [Self; 6] = [Self::Down, Self::Regional, Self::Slow, Self::Recovered, Self::Paused, Self::Deleted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Regional => "regional",
            Self::Slow => "slow",
            Self::Recovered => "recovered",
            Self::Paused => "paused",
            Self::Deleted => "deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the incident is over with it.
    pub const fn ends(self) -> bool {
        matches!(self, Self::Recovered | Self::Paused | Self::Deleted)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Numbers start at 1 and have no holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub number: u32,
    pub kind: EventKind,
    pub at: Timestamp,
    pub cause: Option<Cause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub id: IncidentId,
    pub trouble: Trouble,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub cause: Cause,
    /// How many events it has.
    pub events: u32,
}

/// How long a failure may look the same until its evidence is kept again: the last one of a long outage is minutes old
/// at most, and an outage of weeks does not write a page of headers per check.
const SAME_EVIDENCE: Duration = Duration::from_secs(300);

/// Whether a failing check is kept as evidence: the first one, one that fails in another way than the one kept last,
/// and now and then one that still fails the same.
pub fn is_evidence(kept: Option<(Timestamp, Code)>, at: Timestamp, code: Code) -> bool {
    kept.is_none_or(|(last, known)| known != code || at.since(last) >= SAME_EVIDENCE)
}

/// What a new status of the monitor means for its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Open(Trouble),
    /// A slow site went down: the same incident, a graver event.
    Worsen(Trouble),
    Recover,
}

/// At most two turns: a site that is down and comes back slow recovers, and is slow.
pub fn turn(open: Option<Trouble>, status: Status) -> Vec<Turn> {
    let trouble = match status {
        Status::Down => Trouble::Down,
        Status::Regional => Trouble::Regional,
        Status::Slow => Trouble::Slow,
        Status::Up => return open.map(|_| Turn::Recover).into_iter().collect(),
        Status::Unknown | Status::Paused => return Vec::new(),
    };
    match open {
        None => vec![Turn::Open(trouble)],
        Some(open) if trouble > open => vec![Turn::Worsen(trouble)],
        Some(open) if trouble < open => vec![Turn::Recover, Turn::Open(trouble)],
        Some(_) => Vec::new(),
    }
}
