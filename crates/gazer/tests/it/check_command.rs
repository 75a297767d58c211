//! `gazer check` against sites that are well, broken, gone, and out of bounds.

use gazer_testkit::site::{Fault, Reply, Site};
use serde_json::Value;

use crate::command::{Ended, gazer_beside};

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|err| panic!("{err}: {}{}", ended.stdout, ended.stderr))
}

#[tokio::test]
async fn a_site_that_is_well_is_up() {
    let site = Site::http().await;
    let ended = gazer_beside(&["check", &site.url()]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for expected in ["attempt 1", "connect", "first byte", "200 HTTP/1.1", "up in"] {
        assert!(ended.stdout.contains(expected), "{expected} is not in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "a pipe gets no colours");
    assert_eq!(site.hits().len(), 1);
}

#[tokio::test]
async fn its_json_has_the_shape_that_programs_read() {
    let site = Site::http().await;
    let ended = gazer_beside(&["check", &site.url(), "--json"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let seen = json(&ended);
    assert_eq!(seen["verdict"], "up");
    assert_eq!(seen["cause"], Value::Null);
    let attempt = &seen["attempts"][0];
    assert_eq!(attempt["address"], site.address().to_string());
    for phase in ["dns", "connect", "tls", "send", "first_byte", "download"] {
        assert!(attempt["phases"][phase].is_number(), "{phase} in {attempt}");
    }
    assert!(attempt["phases"]["connect"].as_f64() > Some(0.0));
    assert_eq!(attempt["http"]["status"], 200);
    assert_eq!(attempt["http"]["version"], "HTTP/1.1");
    assert_eq!(attempt["http"]["headers"]["content-type"], "text/html; charset=utf-8");
    assert_eq!((&attempt["certificate"], &attempt["fault"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_broken_site_is_verified_and_then_down() {
    let site = Site::http().await;
    site.break_with(Fault::Status(503)).await;
    let ended = gazer_beside(&["check", &site.url(), "--json"]).await;
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let seen = json(&ended);
    assert_eq!(seen["verdict"], "down");
    assert_eq!(seen["cause"]["code"], "status_unexpected");
    assert_eq!(seen["attempts"].as_array().map(Vec::len), Some(3));
    assert_eq!(seen["attempts"][2]["http"]["status"], 503);
}

#[tokio::test]
async fn a_site_that_refuses_is_down_at_once_if_asked_to_believe_it() {
    let site = Site::http().await;
    site.break_with(Fault::Refuse).await;
    let ended = gazer_beside(&["check", &site.url(), "--json", "--no-verify"]).await;
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let seen = json(&ended);
    assert_eq!(seen["cause"]["code"], "connection_refused");
    assert_eq!(seen["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["attempts"][0]["fault"]["code"], "connection_refused");
    assert_eq!(seen["attempts"][0]["http"], Value::Null);
}

#[tokio::test]
async fn a_site_that_stalls_is_down_after_the_timeout() {
    let site = Site::http().await;
    site.break_with(Fault::Stall).await;
    let ended = gazer_beside(&["check", &site.url(), "--timeout", "1s", "--no-verify"]).await;
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("(response_timeout)"), "{}", ended.stdout);
}

#[tokio::test]
async fn closed_egress_leaves_a_private_address_unknown() {
    let site = Site::http().await;
    let ended = gazer_beside(&["check", &site.url(), "--egress", "public", "--json"]).await;
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let seen = json(&ended);
    assert_eq!(seen["verdict"], "unknown");
    assert_eq!(seen["cause"]["code"], "egress_denied");
    assert!(site.hits().is_empty(), "nothing was asked");
}

#[tokio::test]
async fn method_and_headers_go_out_as_asked_and_redirects_are_shown() {
    let site = Site::http().await;
    site.serve("/", Reply::status(302).with_header("location", "/there"));
    let ended = gazer_beside(&["check", &site.url(), "--method", "head", "--header", "X-Asked: yes"]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("302 HTTP/1.1 to /there"), "{}", ended.stdout);
    let asked: Vec<_> = site.hits().into_iter().map(|hit| (hit.method, hit.path)).collect();
    assert_eq!(asked, [("HEAD".to_owned(), "/".to_owned()), ("HEAD".to_owned(), "/there".to_owned())]);
}
