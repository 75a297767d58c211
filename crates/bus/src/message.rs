//! What travels between functions. In one process these are passed as values.

use std::sync::Arc;

use gazer_domain::channel::{Notice, Target};
use gazer_domain::delivery::Outcome;
use gazer_domain::issue::Report;
use gazer_domain::monitor::Brief;
use gazer_domain::observation::Observation;
use gazer_domain::sight::Look;
use gazer_domain::{DeliveryId, MonitorId, Region, TeamId, Timestamp};

/// A named stream. The version in the name changes with the shape of what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    Check,
    Observed,
    /// A bell: a monitor changed, or a check was asked for.
    Plan,
    /// A bell: a delivery may be due.
    Deliver,
    Send,
    Sent,
    Looked,
    Issue,
}

impl Topic {
    pub const ALL: [Self; 8] =
        [Self::Check, Self::Observed, Self::Plan, Self::Deliver, Self::Send, Self::Sent, Self::Looked, Self::Issue];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check.v1",
            Self::Observed => "observed.v1",
            Self::Plan => "plan.v1",
            Self::Deliver => "deliver.v1",
            Self::Send => "send.v1",
            Self::Sent => "sent.v1",
            Self::Looked => "looked.v1",
            Self::Issue => "issue.v1",
        }
    }

    /// Whether each region has its own: who may publish there is what makes a message of that region.
    pub const fn is_by_region(self) -> bool {
        matches!(self, Self::Check | Self::Observed | Self::Looked | Self::Issue)
    }

    /// The name of the one function that consumes it.
    pub const fn consumer(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Observed => "judge",
            Self::Plan => "plan",
            Self::Deliver => "deliver",
            Self::Send => "send",
            Self::Sent => "settle",
            Self::Looked => "canary",
            Self::Issue => "issue",
        }
    }
}

#[derive(Debug, Clone)]
pub enum Message {
    Check(CheckBatch),
    Observed(Box<Observed>),
    Plan,
    Deliver,
    Send(Box<Send>),
    Sent(Sent),
    /// A prober looked at itself.
    Looked(Box<Look>),
    /// Errors of our own.
    Issue(Box<Report>),
}

/// Checks that are due together in one region.
#[derive(Debug, Clone)]
pub struct CheckBatch {
    pub region: Region,
    /// The turn of the clock in which it was planned; whoever saw a later one drops it.
    pub epoch: i64,
    pub due: Vec<Due>,
    /// A batch that is found later than this is dropped: nobody is asked for what was due long ago.
    pub deadline: Timestamp,
}

/// One monitor to check.
#[derive(Debug, Clone)]
pub struct Due {
    pub monitor: Arc<Brief>,
    /// Whose it is, so that no team takes what all share.
    pub team: TeamId,
    /// The instant at which it was due; of a check out of turn, when it was asked for.
    pub slot: Timestamp,
    pub occasion: Occasion,
}

/// Why a monitor is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Its cadence says so. Left out where a check of the monitor is under way: it covers this slot.
    Slot,
    /// It is new, resumed or edited, and nobody wants to wait for its slot.
    Change,
    /// The request row that asks for it.
    Request(i64),
}

impl Occasion {
    pub const fn request(self) -> Option<i64> {
        match self {
            Self::Request(key) => Some(key),
            Self::Slot | Self::Change => None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Observed {
    /// Where it was seen from.
    pub region: Region,
    pub observation: Observation,
    pub team: TeamId,
    pub request: Option<i64>,
}

/// One claimed delivery; `epoch` fences out whoever held it before.
#[derive(Debug, Clone)]
pub struct Send {
    pub delivery: DeliveryId,
    pub epoch: i64,
    /// The lease ends then; from then on somebody else may send it.
    pub until: Timestamp,
    pub attempts: u32,
    /// Tried before its time, for its channel takes messages: if it fails, it does not count.
    pub early: bool,
    pub target: Target,
    pub notice: Notice,
}

#[derive(Debug, Clone)]
pub struct Sent {
    pub delivery: DeliveryId,
    pub epoch: i64,
    pub attempts: u32,
    pub early: bool,
    pub outcome: Outcome,
}

/// Told to open pages, never to functions: something of that team looks different now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    pub team: TeamId,
    pub monitor: Option<MonitorId>,
}

impl Message {
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Check(_) => Topic::Check,
            Self::Observed(_) => Topic::Observed,
            Self::Plan => Topic::Plan,
            Self::Deliver => Topic::Deliver,
            Self::Send(_) => Topic::Send,
            Self::Sent(_) => Topic::Sent,
            Self::Looked(_) => Topic::Looked,
            Self::Issue(_) => Topic::Issue,
        }
    }

    /// Whose it is, where it is a single team's.
    pub fn team(&self) -> Option<TeamId> {
        match self {
            Self::Observed(observed) => Some(observed.team),
            _ => None,
        }
    }

    /// Urgent messages are not made to wait for company.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Observed(observed) => observed.request.is_some() || observed.observation.judgement.cause.is_some(),
            _ => true,
        }
    }
}
