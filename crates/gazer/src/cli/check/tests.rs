//! What is made of two observations, in which every part that can be drawn occurs.

use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::observation::{Answer, Attempt, Certificate, Hop, HttpVersion, Observation, Phases, Request};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{MonitorId, Timestamp};

use super::{json, render};

#[test]
fn the_json_of_a_good_check() {
    insta::assert_snapshot!(format!("{:#}", json::document(&good())), @r#"
        {
          "attempts": [
            {
              "address": "192.0.2.7:443",
              "certificate": {
                "issuer": "CN=Sample Authority",
                "names": [
                  "example.com",
                  "www.example.com"
                ],
                "not_after": "2027-01-22T00:00:00.000Z"
              },
              "fault": null,
              "http": {
                "headers": {
                  "content-type": "text/html",
                  "vary": "Accept, Cookie"
                },
                "status": 200,
                "version": "HTTP/2"
              },
              "phases": {
                "connect": 16.1,
                "dns": 12.3,
                "download": 2.1,
                "first_byte": 47.91,
                "send": 0.09,
                "tls": 21.5
              }
            }
          ],
          "cause": null,
          "verdict": "up"
        }
    "#);
}

#[test]
fn the_json_of_a_site_that_refuses() {
    insta::assert_snapshot!(json::document(&refused()), @r#"{"attempts":[{"address":"192.0.2.7:80","certificate":null,"fault":{"code":"connection_refused","text":"192.0.2.7:80 refused the connection"},"http":null,"phases":{"connect":0.4,"dns":0.0,"download":0.0,"first_byte":0.0,"send":0.0,"tls":0.0}}],"cause":{"code":"connection_refused","text":"192.0.2.7:80 refused the connection"},"verdict":"down"}"#);
}

/// As a pipe would get it.
fn plain(seen: &Observation) -> String {
    anstream::adapter::strip_str(&render::page(seen)).to_string()
}

#[test]
fn the_page_of_a_redirected_check_over_tls() {
    insta::assert_snapshot!(plain(&good()), @r#"
        attempt 1, 100.0 ms
          GET http://example.com/ at 192.0.2.7:80
            dns            12.30 ms  ██████
            connect         8.00 ms       █████
            send            0.04 ms           █
            first byte      9.66 ms           ██████
            download        0.10 ms                █
            301 HTTP/1.1 to https://example.com/, no body
          GET https://example.com/ at 192.0.2.7:443
            connect         8.10 ms                █████
            tls            21.50 ms                    ███████████
            send            0.05 ms                              █
            first byte     38.25 ms                              ████████████████████
            download        2.00 ms                                                 █
            200 HTTP/2, 1.2 KiB of body
          certificate 60 d left, until 2027-01-22 for example.com, www.example.com by CN=Sample Authority

        up in 100.0 ms
    "#);
}

#[test]
fn the_page_of_a_site_that_refuses() {
    insta::assert_snapshot!(plain(&refused()), @r#"
        attempt 1, 0.4 ms
          GET http://example.com/ at 192.0.2.7:80
            connect         0.40 ms  ████████████████████████████████████████████████
          192.0.2.7:80 refused the connection

        down: 192.0.2.7:80 refused the connection (connection_refused)
    "#);
}

#[test]
fn what_a_site_says_cannot_steer_the_terminal() {
    let mut seen = refused();
    seen.attempts[0].hops[0].request.url = "http://a/\u{1b}[2J".into();
    assert!(plain(&seen).contains("http://a/\u{fffd}[2J"));
}

/// A redirect from http to https, answered over HTTP/2.
fn good() -> Observation {
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

fn refused() -> Observation {
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
