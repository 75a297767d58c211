//! A stretch of one status. Uptime is computed from periods, so it is exact however often a monitor is checked.

use std::fmt;

use crate::Timestamp;
use crate::verdict::Verdict;

/// What people see of a monitor: what its regions come to together, or that nobody was to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Up,
    Slow,
    /// Down in some of its regions, in fewer than its quorum asks for. Counts as up.
    Regional,
    Down,
    Unknown,
    Paused,
}

impl Status {
    pub const ALL: [Self; 6] = [Self::Up, Self::Slow, Self::Regional, Self::Down, Self::Unknown, Self::Paused];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slow => "slow",
            Self::Regional => "regional",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Paused => "paused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Up => Self::Up,
            Verdict::Slow => Self::Slow,
            Verdict::Down => Self::Down,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// From `at` on, the monitor's status is `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub at: Timestamp,
    pub status: Status,
}

/// `ended` is `None` for the one that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub status: Status,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
}
