//! What a process does of all that Gazer does.

use std::fmt;
use std::str::FromStr;

/// A part of the work that a process takes on; where there is one process, it takes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Pages, the API, and live updates.
    Web,
    /// What goes by the clock: which slots are due, rules that wait, missed slots, retention, our own sight.
    Plan,
    /// Probes. Needs no database.
    Check,
    /// Writes down what was seen, and what follows from it.
    Judge,
    /// Claims deliveries and settles them.
    Deliver,
    /// Sends messages. Needs no database.
    Send,
}

impl Role {
    pub const ALL: [Self; 6] = [Self::Web, Self::Plan, Self::Check, Self::Judge, Self::Deliver, Self::Send];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Plan => "plan",
            Self::Check => "check",
            Self::Judge => "judge",
            Self::Deliver => "deliver",
            Self::Send => "send",
        }
    }

    pub const fn needs_store(self) -> bool {
        !matches!(self, Self::Check | Self::Send)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the roles are web, plan, check, judge, deliver and send")]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NoRole)
    }
}
