//! Observations to draw, with every part that can be drawn.

use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::observation::{Answer, Attempt, Certificate, Hop, HttpVersion, Observation, Phases, Request};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{MonitorId, Timestamp};

/// A redirect from http to https, answered over HTTP/2.
pub(crate) fn good() -> Observation {
    let first = Phases { dns: 12_300, connect: 8_000, tls: 0, send: 40, first_byte: 9_660, download: 100 };
    let second = Phases { dns: 0, connect: 8_100, tls: 21_500, send: 50, first_byte: 38_250, download: 2_000 };
    let mut redirect = hop("http://example.com/", "192.0.2.7:80", first);
    redirect.answer = Some(Answer {
        status: 301,
        version: HttpVersion::Http11,
        headers: pairs(&[("Location", "https://example.com/")]),
        body_bytes: 0,
        body: None,
    });
    let mut page = hop("https://example.com/", "192.0.2.7:443", second);
    page.answer = Some(Answer {
        status: 200,
        version: HttpVersion::Http2,
        headers: pairs(&[("Content-Type", "text/html"), ("Vary", "Accept"), ("vary", "Cookie")]),
        body_bytes: 1_256,
        body: None,
    });
    page.certificate = Some(Certificate {
        not_before: day(-30),
        not_after: day(60),
        subject: "CN=example.com".into(),
        issuer: "CN=Sample Authority".into(),
        names: vec!["example.com".into(), "www.example.com".into()],
    });
    observation(Judgement::UP, vec![attempt(100_000, vec![redirect, page], None)])
}

pub(crate) fn refused() -> Observation {
    let cause = Cause::new(Code::ConnectionRefused, "192.0.2.7:80 refused the connection");
    let only = hop("http://example.com/", "192.0.2.7:80", Phases { connect: 400, ..Phases::default() });
    let judgement = Judgement::of(Verdict::Down, cause.clone());
    observation(judgement, vec![attempt(400, vec![only], Some(cause))])
}

fn observation(judgement: Judgement, attempts: Vec<Attempt>) -> Observation {
    Observation {
        monitor: MonitorId::from_bits(0),
        revision: 0,
        slot: day(0),
        started: day(0),
        took: attempts.iter().map(|attempt| attempt.took).sum(),
        judgement,
        phases: attempts.last().map(Attempt::phases).unwrap_or_default(),
        certificate_until: None,
        attempts,
    }
}

fn attempt(us: u64, hops: Vec<Hop>, fault: Option<Cause>) -> Attempt {
    Attempt { started: day(0), took: Duration::from_micros(us), hops, fault, facts: Vec::new() }
}

fn hop(url: &str, address: &str, phases: Phases) -> Hop {
    let request = Request { method: "GET".into(), url: url.into(), headers: Vec::new() };
    Hop { request, address: address.parse().ok(), phases, answer: None, certificate: None }
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Days after 2026-11-23.
fn day(after: i64) -> Timestamp {
    Timestamp::from_millis(1_795_392_000_000 + after * 86_400_000)
}
