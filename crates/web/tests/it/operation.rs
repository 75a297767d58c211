//! What does not depend on who asks: health, metrics, headers, guards.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};

use crate::app::App;
use crate::golden;
use crate::people;

#[tokio::test]
async fn the_description_of_the_api_is_the_one_that_was_reviewed() {
    let app = App::new().await;
    let described = app.get("", "/api/v1/openapi.json").await;
    assert_eq!(described.headers[header::CONTENT_TYPE], "application/json");
    golden::assert("openapi.golden.json", &described.text);
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let app = App::new().await;
    for path in ["/healthz", "/nothing", "/api/v1/monitors", "/api/v1/nothing"] {
        let answer = app.get("", path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn health_follows_the_store() {
    let app = App::new().await;
    let answer = app.get("", "/healthz").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok\n"));
    app.store().close().await;
    let answer = app.get("", "/healthz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.text.contains("sqlx"), "nothing of our insides: {}", answer.text);
}

#[tokio::test]
async fn metrics_are_what_the_composition_root_registered_and_what_the_rows_say() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    people::incident(&app, &teams.owner).await;
    people::monitor(&app, &teams.other).await;
    let answer = app.get("", "/metrics").await;
    for line in [
        "gazer_build_info{version=\"0.0.0-test\"} 1",
        "# TYPE gazer_monitors gauge",
        "gazer_monitors{status=\"down\"} 1",
        "gazer_monitors{status=\"unknown\"} 1",
        "gazer_monitors{status=\"up\"} 0",
        "gazer_open_incidents 1",
        "gazer_undelivered_messages{state=\"dead\"} 0",
        "gazer_store_up 1",
    ] {
        assert!(answer.text.lines().any(|found| found == line), "{line}: {}", answer.text);
    }
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    app.store().close().await;
    let answer = app.get("", "/metrics").await;
    assert_eq!(answer.status, StatusCode::OK, "what the process says of itself is most wanted now");
    assert!(answer.text.contains("gazer_store_up 0\n") && !answer.text.contains("gazer_monitors"), "{}", answer.text);
}

#[tokio::test]
async fn a_form_that_another_site_sends_is_refused_before_anybody_looks_at_it() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let send = |origin: &'static str, site: &'static str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/sign-out")
            .header(header::HOST, "gazer.example")
            .header(header::COOKIE, &teams.owner.cookie)
            .header(header::ORIGIN, origin)
            .header("sec-fetch-site", site);
        app.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(send("https://evil.example", "cross-site").await.status, StatusCode::FORBIDDEN);
    assert!(app.store().session_find(hash_of(&teams.owner.cookie), app.web.now()).await.unwrap().is_some());
    assert_ne!(send("http://gazer.example", "same-origin").await.status, StatusCode::FORBIDDEN);
}

/// The store knows a session by the SHA-256 of what the cookie carries, and by nothing else.
fn hash_of(cookie: &str) -> [u8; 32] {
    let secret = cookie.split_once('=').unwrap().1;
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes()).as_ref().try_into().unwrap()
}

#[tokio::test]
async fn a_token_is_authority_enough_wherever_the_request_comes_from() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/monitors")
        .header(header::AUTHORIZATION, format!("Bearer {}", teams.admin.token))
        .header(header::ORIGIN, "https://tools.example")
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/json");
    let answer = app.send(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.field(), "name", "refused for what it says, not for where it is from");
}
