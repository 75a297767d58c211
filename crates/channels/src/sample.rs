//! A story for the unit tests.

use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::issue::{Kind, News, Told};
use gazer_domain::{ChannelId, DeliveryId, IncidentId, IssueId, MonitorId, Timestamp};

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

/// One, told at once; or two that repeat, of five.
pub(crate) fn issues(kind: Kind) -> Notice {
    let told = |n: u128, function: &str| Told {
        id: IssueId::from_bits(n),
        function: function.into(),
        message: "judge observations: <b>broken</b>".into(),
        version: "0.1.0".into(),
        first_seen: Timestamp::from_millis(STARTED),
        last_seen: Timestamp::from_millis(STARTED + 1_000),
        count: 12,
        repeats: 7,
        link: format!("https://gazer.example/operator/issues/iss_{n}"),
    };
    let (issues, more) = match kind {
        Kind::New | Kind::Regressed => (vec![told(4, "judge")], 0),
        Kind::Digest => (vec![told(4, "judge"), told(5, "plan")], 3),
    };
    let news = News { kind, issues, more, link: "https://gazer.example/operator/issues".into() };
    Notice { about: About::Issues(news), at: Timestamp::from_millis(STARTED + 2_000) }
}

pub(crate) fn test_notice() -> Notice {
    Notice { about: About::Test, at: Timestamp::from_millis(STARTED) }
}
