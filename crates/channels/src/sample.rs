//! A story for the unit tests.

use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::{ChannelId, DeliveryId, IncidentId, MonitorId, Timestamp};

pub(crate) const STARTED: i64 = 1_795_000_000_000;

fn incident() -> IncidentId {
    IncidentId::from_bits(2)
}

pub(crate) fn id() -> DeliveryId {
    DeliveryId::of(incident(), 1, ChannelId::from_bits(3))
}

/// Ends, if the event ends the incident, four minutes after its start.
pub(crate) fn notice(event: EventKind) -> Notice {
    let started = Timestamp::from_millis(STARTED);
    let ended = event.ends().then(|| Timestamp::from_millis(STARTED + 240_000));
    let story = Story {
        event,
        monitor: MonitorId::from_bits(1),
        monitor_name: "Shop <b>&</b>".into(),
        monitor_kind: "http".into(),
        monitor_target: "http://10.0.0.1/?a=1&b=2".into(),
        incident: incident(),
        started,
        ended,
        cause: Cause::new(Code::ConnectionRefused, "10.0.0.1:80 refused the connection"),
        link: "https://gazer.example/incidents/inc_2?a=1&b=\"2\"".into(),
    };
    Notice { about: About::Incident(story), at: ended.unwrap_or(started) }
}

pub(crate) fn test_notice() -> Notice {
    Notice { about: About::Test, at: Timestamp::from_millis(STARTED) }
}
