//! What an attempt means: up, slow, down or unknown, and why.

use std::fmt;

use crate::assertion;
use crate::cause::Cause;
use crate::http::HttpSpec;
use crate::observation::Attempt;

/// `slow` counts as up. `unknown` is our fault, or a refusal of ours, and never counts as downtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    Up,
    Slow,
    Down,
    Unknown,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Up, Self::Slow, Self::Down, Self::Unknown];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }

    pub const fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Slow)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict with its cause; `up` has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub cause: Option<Cause>,
}

impl Judgement {
    pub const UP: Self = Self { verdict: Verdict::Up, cause: None };

    pub fn of(verdict: Verdict, cause: Cause) -> Self {
        Self { verdict, cause: Some(cause) }
    }

    pub fn unknown(cause: Cause) -> Self {
        Self::of(Verdict::Unknown, cause)
    }
}

/// Judges one attempt. A fault decides first; then the assertions in their order, where one that says `down` outweighs
/// one that says `slow`. Without a status assertion any status below 400 is good.
pub fn judge(attempt: &Attempt, spec: &HttpSpec) -> Judgement {
    if let Some(fault) = &attempt.fault {
        let verdict = if fault.code.is_ours() { Verdict::Unknown } else { Verdict::Down };
        return Judgement::of(verdict, fault.clone());
    }
    let mut slow = None;
    for judged in assertion::evaluate(attempt, spec) {
        match judged.verdict {
            Verdict::Down | Verdict::Unknown => return judged,
            Verdict::Slow => slow = slow.or(Some(judged)),
            Verdict::Up => {}
        }
    }
    slow.unwrap_or(Judgement::UP)
}
