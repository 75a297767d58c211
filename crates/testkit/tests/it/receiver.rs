//! A receiver tells a good signature from a bad one, and fails on command.

use std::net::SocketAddr;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gazer_testkit::client::{self, Answer as Response};
use gazer_testkit::now::now;
use gazer_testkit::receiver::{Answer, Unsigned, WebhookReceiver};
use http::Request;
use http_body_util::Full;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sign(id: &str, seconds: i64, body: &str) -> String {
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

async fn post(receiver: &WebhookReceiver, id: &str, seconds: i64, signature: &str, body: &str) -> Response {
    let address: SocketAddr = receiver.url().split('/').nth(2).unwrap().parse().unwrap();
    let request = Request::post("/hook")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature)
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    client::send(address, request).await.unwrap()
}

#[tokio::test]
async fn only_the_good_signature_holds() {
    let receiver = WebhookReceiver::start().await;
    let seconds = now().millis() / 1000;
    let body = r#"{"type":"monitor.down"}"#;
    let good = sign("msg_1", seconds, body);
    post(&receiver, "msg_1", seconds, &format!("v1,AAAA {good}"), body).await;
    post(&receiver, "msg_2", seconds, &good, body).await;
    post(&receiver, "msg_1", seconds, &good, "{}").await;
    post(&receiver, "msg_1", seconds - 3600, &sign("msg_1", seconds - 3600, body), body).await;

    let got = receiver.wait_until(|got| got.len() == 4, Duration::from_secs(1)).await;
    assert_eq!(got[0].verify(SECRET), Ok(()));
    assert_eq!((got[0].id(), got[0].kind()), ("msg_1", "monitor.down"));
    assert_eq!(got[0].verify("whsec_AAAA"), Err(Unsigned::Mismatch(format!("v1,AAAA {good}"))));
    assert_eq!(got[0].verify("MfKQ"), Err(Unsigned::BadSecret));
    assert_eq!(got[1].verify(SECRET), Err(Unsigned::Mismatch(good.clone())));
    assert_eq!(got[2].verify(SECRET), Err(Unsigned::Mismatch(good)));
    assert!(matches!(got[3].verify(SECRET), Err(Unsigned::Stale(_))));
}

/// The example of the Standard Webhooks specification's own libraries, so that both sides cannot share a mistake.
#[tokio::test]
async fn the_signature_is_that_of_the_specification() {
    let signature = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn it_fails_as_often_as_it_is_told() {
    let receiver = WebhookReceiver::start().await;
    receiver.answer_next(1, Answer::Status(500));
    receiver.answer_next(1, Answer::RetryAfter(429, 7));
    assert_eq!(post(&receiver, "a", 0, "", "{}").await.status, 500);
    assert_eq!(post(&receiver, "a", 0, "", "{}").await.header("retry-after"), Some("7"));
    assert_eq!(post(&receiver, "a", 0, "", "{}").await.status, 200);
    assert_eq!(receiver.received()[1].answer, Answer::RetryAfter(429, 7));
}

#[tokio::test]
async fn what_it_answered_is_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("received.jsonl");
    let receiver = WebhookReceiver::recording_to(&path).await;
    post(&receiver, "a", 0, "", r#"{"n":1}"#).await;
    let line: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!(line["headers"]["webhook-id"], "a");
    assert_eq!(line["body"], r#"{"n":1}"#);
}
