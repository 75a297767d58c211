//! Issues: errors of our own software, grouped by what they have in common, for the operator.
//!
//! An error or a panic of ours becomes a [`Report`]: where it happened, a [`Fingerprint`] of what it was, and its message
//! without secrets ([`redact`]). A process gathers its reports, so that one fault in a loop is one report with a count
//! ([`gather`]). [`fold`] joins a report to the issue of its fingerprint, and says whether that is news: a new issue is,
//! and one that was resolved and comes again. What only repeats is counted, and told in a digest; what somebody chose to
//! ignore is counted and told to nobody.
//!
//! What the surroundings do to us, a database or a network that is away, is no issue: that is for [`crate::sight`].

pub mod fingerprint;
pub mod gather;
pub mod redact;

use std::time::Duration;

pub use fingerprint::Fingerprint;

use crate::{DeliveryId, IssueId, Region, Timestamp};

/// Repeats are told once a day at most, all of them in one message.
pub const DIGEST_EVERY: Duration = Duration::from_secs(24 * 3600);
/// So many issues are told at once within [`AT_ONCE_WITHIN`]; a program that breaks in more ways at a time has told enough
/// with these, and the others are in the next digest.
pub const TOLD_AT_ONCE: u32 = 20;
pub const AT_ONCE_WITHIN: Duration = Duration::from_secs(3_600);
/// Of each issue the last so many occurrences are kept.
pub const OCCURRENCES: u32 = 20;

/// What a process says of errors of its own that have a fingerprint in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub fingerprint: Fingerprint,
    /// The function that ran, or the part of the program.
    pub function: String,
    /// Of the last of them, without secrets.
    pub message: String,
    /// The version of the program.
    pub version: String,
    /// How many errors it stands for.
    pub count: u32,
    /// When the last of them happened.
    pub at: Timestamp,
    /// Tells the process from others; with `at` it tells the report from others.
    pub process: String,
    pub region: Region,
}

/// Longer names of functions, versions and processes are none of ours.
const NAME_CHARS: usize = 64;

impl Report {
    /// As it is kept: it may come from another version than this one, or from somebody who has a prober's place on the bus.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        let name = |text: &str| text.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
        Self {
            function: name(&self.function),
            message: redact::redact(&self.message),
            version: name(&self.version),
            process: name(&self.process),
            ..self
        }
    }
}

/// What is known of errors with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub id: IssueId,
    pub fingerprint: Fingerprint,
    pub function: String,
    /// Of the last occurrence.
    pub message: String,
    pub first_version: String,
    /// The newest that it was seen in.
    pub last_version: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub count: u64,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    /// Somebody says that it is mended.
    Resolved {
        at: Timestamp,
    },
    /// Somebody knows of it, and wants to hear no more.
    Ignored,
}

impl State {
    pub const WORDS: [&str; 3] = ["open", "resolved", "ignored"];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved { .. } => "resolved",
            Self::Ignored => "ignored",
        }
    }
}

/// What a person does with an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Resolve,
    Ignore,
    Reopen,
}

impl Act {
    pub const ALL: [Self; 3] = [Self::Resolve, Self::Ignore, Self::Reopen];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Ignore => "ignore",
            Self::Reopen => "reopen",
        }
    }

    /// What changes; `None` where it is so already.
    pub fn on(self, state: State, now: Timestamp) -> Option<State> {
        match (self, state) {
            (Self::Resolve, State::Resolved { .. }) | (Self::Ignore, State::Ignored) | (Self::Reopen, State::Open) => {
                None
            }
            (Self::Resolve, _) => Some(State::Resolved { at: now }),
            (Self::Ignore, _) => Some(State::Ignored),
            (Self::Reopen, _) => Some(State::Open),
        }
    }
}

/// One report as it is kept with its issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub at: Timestamp,
    pub message: String,
    pub version: String,
    pub count: u32,
    pub region: Region,
}

/// What a report is to its issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Told at once.
    New,
    /// It was resolved, and is not. Told at once.
    Regressed,
    /// Counted, and told in the digest if the issue is open.
    Repeat,
}

/// Joins a report to what is known of its fingerprint. `fresh` names the issue if nothing is.
pub fn fold(known: Option<&Issue>, report: &Report, fresh: IssueId) -> (Issue, Turn) {
    let Some(known) = known else { return (first(report, fresh), Turn::New) };
    let is_back = match known.state {
        // What happened before somebody said that it is mended does not contradict them, nor does a process that still
        // runs what was there before the newest.
        State::Resolved { at } => report.at > at && !is_older(&report.version, &known.last_version),
        State::Open | State::Ignored => false,
    };
    let mut issue = known.clone();
    issue.count += u64::from(report.count);
    if report.at >= known.last_seen {
        (issue.last_seen, issue.message) = (report.at, report.message.clone());
    }
    if is_older(&known.last_version, &report.version) {
        issue.last_version.clone_from(&report.version);
    }
    if is_back {
        issue.state = State::Open;
    }
    (issue, if is_back { Turn::Regressed } else { Turn::Repeat })
}

fn first(report: &Report, id: IssueId) -> Issue {
    Issue {
        id,
        fingerprint: report.fingerprint,
        function: report.function.clone(),
        message: report.message.clone(),
        first_version: report.version.clone(),
        last_version: report.version.clone(),
        first_seen: report.at,
        last_seen: report.at,
        count: u64::from(report.count),
        state: State::Open,
    }
}

/// By the numbers of Semantic Versioning; what follows them, and what has none, is neither older nor newer.
fn is_older(one: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Option<Vec<u64>> {
        let core = version.split(['-', '+']).next()?;
        core.split('.').map(|number| number.parse().ok()).collect()
    };
    numbers(one).zip(numbers(other)).is_some_and(|(one, other)| one < other)
}

/// Whether the time has come for a digest, if something open repeats that was told `told` last: a day after that, and a
/// day after the last digest.
pub fn is_digest_due(told: Timestamp, last: Option<Timestamp>, now: Timestamp) -> bool {
    told + DIGEST_EVERY <= now && last.is_none_or(|last| last + DIGEST_EVERY <= now || last > now)
}

/// How the operator is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Webhook,
    Email,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Email];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }
}

/// What the operator is told, as it was when it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub kind: Kind,
    /// One, but for a digest: those that repeated most.
    pub issues: Vec<Told>,
    /// How many more a digest is about.
    pub more: u32,
    /// Where all of them are.
    pub link: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    New,
    Regressed,
    Digest,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::New, Self::Regressed, Self::Digest];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regressed => "regressed",
            Self::Digest => "digest",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One issue, as the operator is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: IssueId,
    pub function: String,
    pub message: String,
    /// The newest that it was seen in.
    pub version: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub count: u64,
    /// Since it was told last.
    pub repeats: u64,
    pub link: String,
}

impl Told {
    pub fn of(issue: &Issue, repeats: u64, link: String) -> Self {
        let Issue { id, function, message, last_version, first_seen, last_seen, count, .. } = issue.clone();
        Self { id, function, message, version: last_version, first_seen, last_seen, count, repeats, link }
    }
}

/// What the ids of these messages begin with: whoever settles one knows whose it is.
const PREFIX: &str = "isn_";

/// What is told of an issue at that instant.
pub fn message_id(issue: IssueId, at: Timestamp, way: Way) -> DeliveryId {
    let issue = issue.to_string();
    let body = issue.split_once('_').map_or("", |(_, body)| body);
    DeliveryId::from_text(format!("{PREFIX}{body}_{}_{}", at.millis(), way.as_str()))
}

pub fn digest_id(at: Timestamp, way: Way) -> DeliveryId {
    DeliveryId::from_text(format!("{PREFIX}digest_{}_{}", at.millis(), way.as_str()))
}

pub fn is_message_id(id: &DeliveryId) -> bool {
    id.as_str().starts_with(PREFIX)
}

#[cfg(test)]
mod tests;
