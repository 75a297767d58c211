//! What there is to tell, and who tells it.

use std::net::{Ipv4Addr, SocketAddr};

use gazer_channels::{Channels, Mail};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::{ChannelId, DeliveryId, IncidentId, MonitorId, Timestamp};
use gazer_probes::{Config, Egress, Prober};
use gazer_testkit::now::now;
use gazer_testkit::port;

/// Channels that may reach loopback, as a closed team's may.
pub(crate) fn channels(mail: Option<Mail>) -> Channels {
    Channels::new(prober(Egress::Open), mail)
}

/// Channels of an install that anybody may sign up to.
pub(crate) fn guarded_channels() -> Channels {
    Channels::new(prober(Egress::Public), None)
}

fn prober(egress: Egress) -> Prober {
    Prober::new(Config { egress, witnesses: Vec::new(), ..Config::new(now) }).unwrap()
}

/// An address that nobody listens on.
pub(crate) fn nobody() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()))
}

pub(crate) fn id() -> DeliveryId {
    DeliveryId::of(IncidentId::from_bits(2), 1, ChannelId::from_bits(3))
}

pub(crate) fn notice() -> Notice {
    let at = Timestamp::from_millis(1_795_000_000_000);
    let story = Story {
        event: EventKind::Down,
        monitor: MonitorId::from_bits(1),
        monitor_name: "Café".into(),
        monitor_kind: "http".into(),
        monitor_target: "http://10.0.0.1/".into(),
        incident: IncidentId::from_bits(2),
        started: at,
        ended: None,
        cause: Cause::new(Code::ConnectionRefused, "10.0.0.1:80 refused the connection"),
        link: "https://gazer.example/incidents/inc_2".into(),
    };
    Notice { about: About::Incident(story), at }
}
