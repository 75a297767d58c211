use std::time::Duration;

use gazer_domain::incident::EventKind;
use gazer_domain::issue::Kind;

use super::*;
use crate::sample;

const MONITOR: &str = r#""monitor":{"id":"mon_00000000000000000000000001","name":"Shop <b>&</b>","kind":"http","url":"http://10.0.0.1/?a=1&b=2"}"#;
const CAUSE: &str = r#""cause":{"code":"connection_refused","text":"10.0.0.1:80 refused the connection"},"link":"https://gazer.example/incidents/inc_2?a=1&b=\"2\"""#;
const STARTED: &str = "2026-11-18T11:06:40.000Z";
const ENDED: &str = "2026-11-18T11:10:40.000Z";

fn body(notice: &Notice) -> String {
    String::from_utf8(body::of(notice)).unwrap()
}

fn begun(kind: &str) -> String {
    format!(
        r#"{{"type":"{kind}","version":1,"timestamp":"{STARTED}","data":{{{MONITOR},"incident":{{"id":"inc_00000000000000000000000002","started_at":"{STARTED}","ended_at":null,{CAUSE}}}}}}}"#
    )
}

fn ended(kind: &str, reason: &str) -> String {
    format!(
        r#"{{"type":"{kind}","version":1,"timestamp":"{ENDED}","data":{{{MONITOR},"incident":{{"id":"inc_00000000000000000000000002","started_at":"{STARTED}","ended_at":"{ENDED}",{CAUSE}}}{reason}}}}}"#
    )
}

#[test]
fn each_event_has_its_body() {
    assert_eq!(body(&sample::notice(EventKind::Down)), begun("monitor.down"));
    assert_eq!(body(&sample::notice(EventKind::Regional)), begun("monitor.regional"));
    assert_eq!(body(&sample::notice(EventKind::Slow)), begun("monitor.slow"));
    assert_eq!(body(&sample::notice(EventKind::Recovered)), ended("monitor.recovered", ""));
    assert_eq!(body(&sample::notice(EventKind::Paused)), ended("monitor.closed", r#","reason":"paused""#));
    assert_eq!(body(&sample::notice(EventKind::Deleted)), ended("monitor.closed", r#","reason":"deleted""#));
    let test = format!(
        r#"{{"type":"test","version":1,"timestamp":"{STARTED}","data":{{"message":"This channel works: Gazer can reach you here."}}}}"#
    );
    assert_eq!(body(&sample::test_notice()), test);
}

#[test]
fn the_operator_is_told_of_issues() {
    let issue = |n: u8, function: &str, repeats: &str| {
        format!(
            r#"{{"id":"iss_0000000000000000000000000{n}","function":"{function}","message":"judge observations: <b>broken</b>","version":"0.1.0","first_seen_at":"{STARTED}","last_seen_at":"2026-11-18T11:06:41.000Z","count":12,{repeats}"link":"https://gazer.example/operator/issues/iss_{n}"}}"#
        )
    };
    let one = |kind: &str| {
        let issue = issue(4, "judge", "");
        format!(r#"{{"type":"{kind}","version":1,"timestamp":"2026-11-18T11:06:42.000Z","data":{{"issue":{issue}}}}}"#)
    };
    assert_eq!(body(&sample::issues(Kind::New)), one("issue.new"));
    assert_eq!(body(&sample::issues(Kind::Regressed)), one("issue.regressed"));
    let (judge, plan) = (issue(4, "judge", r#""repeats":7,"#), issue(5, "plan", r#""repeats":7,"#));
    let digest = format!(
        r#"{{"type":"issue.digest","version":1,"timestamp":"2026-11-18T11:06:42.000Z","data":{{"issues":[{judge},{plan}],"more":3,"link":"https://gazer.example/operator/issues"}}}}"#
    );
    assert_eq!(body(&sample::issues(Kind::Digest)), digest);
}

#[test]
fn headers_name_the_delivery_and_sign_it() {
    let now = Timestamp::from_millis(1_614_265_330_999);
    let id = DeliveryId::from_text("msg_p5jXN8AQM9LWM0D4loKWxJek");
    let headers = headers(&id, b"key", b"{}", now);
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(value("webhook-id"), id.as_str());
    assert_eq!(value("webhook-timestamp"), "1614265330");
    assert_eq!(value("webhook-signature"), signature::sign(b"key", id.as_str(), 1_614_265_330, b"{}"));
    assert_eq!(value("content-type"), "application/json");
}

fn answered(status: u16, body: &str) -> Outcome {
    outcome(Ok(receipt(status, body)))
}

fn receipt(status: u16, body: &str) -> Receipt {
    let took = Duration::from_millis(12);
    Receipt { status, headers: Vec::new(), body_excerpt: body.to_owned(), took, retry_after: None }
}

#[test]
fn the_status_decides() {
    assert_eq!(answered(204, ""), Outcome::Delivered { receipt: "HTTP 204 in 12 ms".into() });
    assert_eq!(answered(200, "ok\r\n"), Outcome::Delivered { receipt: "HTTP 200 in 12 ms: ok".into() });
    assert!(matches!(answered(410, ""), Outcome::Refused { .. }));
    for status in [302, 400, 401, 404, 408, 429, 500, 503] {
        assert!(matches!(answered(status, ""), Outcome::Retry { after: None, .. }), "{status}");
    }
}

#[test]
fn a_receiver_may_ask_for_patience() {
    let asked = Some(Duration::from_secs(120));
    let answer = outcome(Ok(Receipt { retry_after: asked, ..receipt(503, "") }));
    assert_eq!(answer, Outcome::Retry { why: "HTTP 503 in 12 ms".into(), after: asked });
}

#[test]
fn the_network_is_not_final() {
    let refused = Cause::new(Code::ConnectionRefused, "no one there");
    assert_eq!(outcome(Err(refused)), Outcome::Retry { why: "no one there".into(), after: None });
}
