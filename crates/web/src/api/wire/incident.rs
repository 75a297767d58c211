//! Incidents, their evidence and who was told.

use gazer_domain::incident as domain;
use gazer_store::{DeliveryView, Evidence, IncidentView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Attempt, Cause};
use crate::Config;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incident {
    #[schema(example = "inc_01jd00000000000000000000000")]
    id: String,
    monitor: Watched,
    /// `down`, `regional` (down in fewer of its regions than the monitor's quorum asks for) or `slow`.
    kind: &'static str,
    /// When it was seen to begin: at the slot of the check that decided it, or later where that came late.
    started_at: String,
    /// When it was seen to be over, or its monitor was paused or deleted. Null while it lasts.
    #[schema(required)]
    ended_at: Option<String>,
    cause: Cause,
    /// Its page.
    link: String,
}

/// The monitor as it was when the incident was read.
#[derive(Debug, Serialize, ToSchema)]
struct Watched {
    id: String,
    name: String,
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentStory {
    #[serde(flatten)]
    incident: Incident,
    events: Vec<Event>,
    /// The checks that failed and that verified, as they went out and came back.
    evidence: Vec<Check>,
    deliveries: Vec<Delivery>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Event {
    number: u32,
    /// `down`, `regional`, `slow`, `recovered`, `paused` or `deleted`.
    kind: &'static str,
    at: String,
    #[schema(required)]
    cause: Option<Cause>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Evidence)]
struct Check {
    /// The instant at which the check was due.
    slot: String,
    /// Where it was made.
    region: String,
    attempts: Vec<Attempt>,
}

/// One message to one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    /// The `webhook-id` and the `Message-ID`: retries keep it.
    id: String,
    channel: ChannelNamed,
    /// What it is about; null for a test, as `monitor`, `event` and `kind` are.
    #[schema(required)]
    incident: Option<String>,
    /// The monitor's name.
    #[schema(required)]
    monitor: Option<String>,
    /// Number of the incident's event.
    #[schema(required)]
    event: Option<u32>,
    /// `down`, `regional`, `slow`, `recovered`, `paused` or `deleted`.
    #[schema(required)]
    kind: Option<&'static str>,
    /// `waiting`, `leased`, `delivered`, `dead` or `merged`.
    state: &'static str,
    /// Those that count: where the channel took something meanwhile it is tried before its time as well, and after the
    /// twelfth of these it is dead.
    attempts: u32,
    #[schema(required)]
    next_at: Option<String>,
    #[schema(required)]
    settled_at: Option<String>,
    /// What the service answered, or the last error.
    #[schema(required)]
    receipt: Option<String>,
    /// Whether `send-again` would take it: it is dead, its channel is there, and nothing later of its incident went
    /// there.
    can_be_sent_again: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct ChannelNamed {
    id: String,
    name: String,
    kind: String,
}

impl Incident {
    pub(crate) fn of(view: &IncidentView, config: &Config) -> Self {
        let incident = &view.incident;
        Self {
            id: incident.id.to_string(),
            monitor: Watched {
                id: view.monitor.to_string(),
                name: view.monitor_name.clone(),
                url: view.monitor_target.clone(),
            },
            kind: incident.trouble.event().as_str(),
            started_at: incident.started.rfc3339(),
            ended_at: incident.ended.map(|at| at.rfc3339()),
            cause: (&incident.cause).into(),
            link: config.link(&format!("/incidents/{}", incident.id)),
        }
    }
}

impl IncidentStory {
    pub(crate) fn of(story: &gazer_store::IncidentStory, config: &Config) -> Self {
        Self {
            incident: Incident::of(&story.view, config),
            events: story.events.iter().map(Event::from).collect(),
            evidence: story.evidence.iter().map(Check::from).collect(),
            deliveries: story.deliveries.iter().map(Delivery::from).collect(),
        }
    }
}

impl From<&domain::Event> for Event {
    fn from(event: &domain::Event) -> Self {
        Self {
            number: event.number,
            kind: event.kind.as_str(),
            at: event.at.rfc3339(),
            cause: event.cause.as_ref().map(Cause::from),
        }
    }
}

impl From<&Evidence> for Check {
    fn from(evidence: &Evidence) -> Self {
        Self {
            slot: evidence.slot.rfc3339(),
            region: evidence.region.to_string(),
            attempts: evidence.attempts.iter().map(Attempt::from).collect(),
        }
    }
}

impl From<&DeliveryView> for Delivery {
    fn from(delivery: &DeliveryView) -> Self {
        Self {
            id: delivery.id.to_string(),
            channel: ChannelNamed {
                id: delivery.channel.to_string(),
                name: delivery.channel_name.clone(),
                kind: delivery.channel_kind.clone(),
            },
            incident: delivery.incident.map(|incident| incident.to_string()),
            monitor: delivery.monitor_name.clone(),
            event: delivery.event_kind.map(|_| delivery.event),
            kind: delivery.event_kind.map(domain::EventKind::as_str),
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_at: delivery.next_at.map(|at| at.rfc3339()),
            settled_at: delivery.settled_at.map(|at| at.rfc3339()),
            receipt: delivery.receipt.clone(),
            can_be_sent_again: delivery.obstacle.is_none(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentAgain {
    /// How many are on their way again.
    pub(crate) sent_again: u64,
}
