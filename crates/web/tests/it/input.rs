//! Bad input: each refusal names its field, and nothing is half stored.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::app::App;
use crate::people;
use crate::visitor::Visitor;

fn monitor(http: impl Into<Value>) -> Value {
    let http = http.into();
    json!({"name": "Shop", "kind": "http", "http": http})
}

fn assertion(assertion: impl Into<Value>) -> Value {
    let assertion = assertion.into();
    monitor(json!({"url": "https://shop.example/", "assertions": [{"kind": "status", "in": "200"}, assertion]}))
}

fn with(mut base: Value, name: &str, value: Value) -> Value {
    base[name] = value;
    base
}

fn bad_monitors() -> Vec<(Value, &'static str)> {
    let good = || monitor(json!({"url": "https://shop.example/"}));
    let http = |name: &str, value: Value| monitor(with(json!({"url": "https://shop.example/"}), name, value));
    vec![
        (json!({}), "name"),
        (json!({"name": "a", "kind": "http"}), "http"),
        (json!({"name": "a", "http": {"url": "https://a.example/"}}), "kind"),
        (with(good(), "kind", json!("gopher")), "kind"),
        (with(good(), "name", json!("")), "name"),
        (with(good(), "name", json!("a\nb")), "name"),
        (with(good(), "colour", json!("red")), "colour"),
        (with(good(), "interval", json!("1s")), "interval"),
        (with(good(), "interval", json!("25h")), "interval"),
        (with(good(), "interval", json!(30)), "interval"),
        (with(good(), "interval", json!("soon")), "interval"),
        (with(good(), "verify", json!({"attempts": 6})), "verify.attempts"),
        (with(good(), "verify", json!({"attempts": -1})), "verify.attempts"),
        (with(good(), "verify", json!({"gap": "11s"})), "verify.gap"),
        (with(good(), "verify", json!({"tries": 1})), "verify.tries"),
        (with(good(), "recover_after", json!(0)), "recover_after"),
        (with(good(), "recover_after", json!(1000)), "recover_after"),
        (monitor(json!({})), "http.url"),
        (monitor(json!({"url": "file:///etc/passwd"})), "http.url"),
        (monitor(json!({"url": "https://user:secret@shop.example/"})), "http.url"),
        (monitor(json!({"url": "http://shop.example:25/"})), "http.url"),
        (http("method", json!("BREW")), "http.method"),
        (http("headers", json!({"X-A": "a\r\nX-B: b"})), "http.headers.X-A"),
        (http("headers", json!({"Content-Length": "0"})), "http.headers.Content-Length"),
        (http("headers", json!({"X-A": 1})), "http.headers.X-A"),
        (http("headers", json!({"X-A": "1", "x-a": "2"})), "http.headers.x-a"),
        (http("headers", json!({"Cookie": "••••••••"})), "http.headers.Cookie"),
        (http("body", json!("x".repeat(16 * 1024 + 1))), "http.body"),
        (http("auth", json!({"kind": "basic", "user": "ann"})), "http.auth.password"),
        (http("auth", json!({"kind": "basic", "user": "a:b", "password": "x"})), "http.auth.user"),
        (http("auth", json!({"kind": "bearer", "token": "x", "user": "ann"})), "http.auth.user"),
        (http("auth", json!({"kind": "digest"})), "http.auth.kind"),
        (http("follow_redirects", json!(11)), "http.follow_redirects"),
        (http("follow_redirects", json!("yes")), "http.follow_redirects"),
        (http("verify_tls", json!("no")), "http.verify_tls"),
        (http("timeout", json!("61s")), "http.timeout"),
        (http("timeout", json!("999ms")), "http.timeout"),
        (http("assertions", json!([{"kind": "smell"}])), "http.assertions[0].kind"),
        (assertion(json!({"kind": "status", "in": "20x"})), "http.assertions[1].in"),
        (assertion(json!({"kind": "status", "in": "200", "is": 1})), "http.assertions[1].is"),
        (assertion(json!({"kind": "body", "op": "<", "value": "x"})), "http.assertions[1].op"),
        (assertion(json!({"kind": "body", "op": "matches", "value": "("})), "http.assertions[1].value"),
        (assertion(json!({"kind": "time", "op": ">", "value": "1s"})), "http.assertions[1].op"),
        (assertion(json!({"kind": "certificate", "op": ">", "value": "many"})), "http.assertions[1].value"),
        (assertion(json!({"kind": "json", "path": "$.a", "op": "contains", "value": "x"})), "http.assertions[1].op"),
    ]
}

#[tokio::test]
async fn a_bad_monitor_is_refused_by_the_name_of_its_field_and_not_stored() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    for (body, field) in bad_monitors() {
        let answer = app.post(&teams.admin.token, "/api/v1/monitors", body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
        assert_eq!(answer.field(), field, "{body}: {}", answer.text);
    }
    assert_eq!(app.get(&teams.viewer.token, "/api/v1/monitors").await.json(200)["data"], json!([]));
}

#[tokio::test]
async fn a_bad_patch_is_refused_by_the_name_of_its_field_and_changes_nothing() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let path = format!("/api/v1/monitors/{}", people::monitor(&app, &teams.admin).await);
    let before = app.get(&teams.viewer.token, &path).await.json(200);
    for (patch, field) in [
        (json!({"name": null}), "name"),
        (json!({"nmae": null}), "nmae"),
        (json!({"id": "mon_x"}), "id"),
        (json!({"http": {"url": null}}), "http.url"),
        (json!({"http": {"urls": "https://a.example/"}}), "http.urls"),
        (json!({"http": {"auth": {"kind": "bearer"}}}), "http.auth.token"),
        (json!({"http": "https://a.example/"}), "http"),
        (json!({"interval": "4s"}), "interval"),
    ] {
        let answer = app.patch(&teams.admin.token, &path, patch.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{patch}: {}", answer.text);
        assert_eq!(answer.field(), field, "{patch}: {}", answer.text);
    }
    assert_eq!(app.get(&teams.viewer.token, &path).await.json(200), before);
}

#[tokio::test]
async fn bad_channels_rules_and_tokens_are_refused_by_name() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let ours = people::channel(&app, &teams.admin).await;
    let theirs = people::channel(&app, &teams.other).await;
    let foreign = people::monitor(&app, &teams.other).await.to_string();
    let random = app.web.new_id::<gazer_domain::id::Channels>().to_string();
    let rule = |name: &str, value: Value| with(json!({"name": "r", "channels": [&ours]}), name, value);
    let hook = |webhook: Value| json!({"name": "c", "kind": "webhook", "webhook": webhook});
    let mail = |to: Value| json!({"name": "c", "kind": "email", "email": {"to": to}});
    for (path, body, field) in [
        ("channels", json!({"name": "c", "kind": "pigeon"}), "kind"),
        ("channels", json!({"name": "c", "kind": "webhook"}), "webhook"),
        ("channels", json!({"name": "c", "kind": "email"}), "email"),
        ("channels", hook(json!({})), "webhook.url"),
        ("channels", hook(json!({"url": "nowhere"})), "webhook.url"),
        ("channels", hook(json!({"url": "ftp://a.example/"})), "webhook.url"),
        ("channels", hook(json!({"url": "http://169.254.169.254/"})), "webhook.url"),
        ("channels", hook(json!({"url": "https://a.example/", "secret": "x"})), "webhook.secret"),
        ("channels", mail(json!([])), "email.to"),
        ("channels", mail(json!(["ann@example.com", "not an address"])), "email.to[1]"),
        ("channels", mail(json!(["ann@example.com\r\nBcc: all@example.com"])), "email.to[0]"),
        ("alert-rules", json!({"name": "r"}), "channels"),
        ("alert-rules", rule("channels", json!([])), "channels"),
        ("alert-rules", rule("channels", json!([&ours, "chn_x"])), "channels[1]"),
        ("alert-rules", rule("channels", json!([&ours, &random])), "channels[1]"),
        ("alert-rules", rule("channels", json!([&ours, &theirs])), "channels[1]"),
        ("alert-rules", rule("channels", json!([&ours, &ours])), "channels[1]"),
        ("alert-rules", rule("monitors", json!("some")), "monitors"),
        ("alert-rules", rule("monitors", json!([])), "monitors"),
        ("alert-rules", rule("monitors", json!([&foreign])), "monitors[0]"),
        ("alert-rules", rule("on", json!(["recovered"])), "on"),
        ("alert-rules", rule("on", json!(["down", "up"])), "on[1]"),
        ("alert-rules", rule("after", json!("25h")), "after"),
        ("tokens", json!({"name": ""}), "name"),
        ("tokens", json!({"name": "t", "role": "god"}), "role"),
    ] {
        let answer = app.post(&teams.owner.token, &format!("/api/v1/{path}"), body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
        assert_eq!(answer.field(), field, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn foreign_and_random_ids_in_a_rule_are_refused_in_the_same_words() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let theirs = people::channel(&app, &teams.other).await;
    let random = app.web.new_id::<gazer_domain::id::Channels>().to_string();
    let mut told = Vec::new();
    for id in [theirs, random] {
        let body = json!({"name": "r", "channels": [id]});
        told.push(app.post(&teams.admin.token, "/api/v1/alert-rules", body).await.text);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn bad_queries_are_refused_by_name() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let one = format!("monitors/{}?limit=1", people::monitor(&app, &teams.owner).await);
    let of_another_list = app.web.new_id::<gazer_domain::id::Channels>();
    let foreign = format!("alert-rules?cursor={of_another_list}");
    for (path, field) in [
        ("monitors?limit=0", "limit"),
        ("monitors?limit=201", "limit"),
        ("monitors?limit=many", "limit"),
        ("monitors?limit=1&limit=2", "limit"),
        ("monitors?status=sleepy", "status"),
        ("monitors?colour=red", "colour"),
        ("monitors?after=bW9u", "after"),
        ("monitors?cursor=garbage", "cursor"),
        ("incidents?cursor=garbage", "cursor"),
        ("channels?cursor=garbage", "cursor"),
        ("alert-rules?cursor=garbage", "cursor"),
        (&foreign, "cursor"),
        ("tokens?cursor=%00", "cursor"),
        ("tokens?limit=-1", "limit"),
        ("incidents?open=maybe", "open"),
        ("incidents?monitor=inc_x", "monitor"),
        (&one, "limit"),
    ] {
        let answer = app.get(&teams.owner.token, &format!("/api/v1/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.field().as_str()), (422, field), "{path}: {}", answer.text);
    }
    let answer = app.post(&teams.owner.token, "/api/v1/monitors?dry=1", json!({})).await;
    assert_eq!(answer.field(), "dry", "{}", answer.text);
}

#[tokio::test]
async fn a_page_with_a_cursor_that_makes_no_sense_begins_at_the_start() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    people::incident(&app, &teams.owner).await;
    let mut owner = Visitor::with(&app, &teams.owner.cookie);
    for path in ["/monitors?after=garbage%00", "/monitors?status=x&after=%ff", "/incidents?after=garbage&monitor=x"] {
        owner.page(path).await;
    }
    assert!(owner.page("/monitors?after=garbage").await.contains("Shop"));
}

#[tokio::test]
async fn lists_are_read_to_their_end_a_page_at_a_time() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    for kind in ["monitors", "incidents", "channels"] {
        for _ in 0..3 {
            people::make(&app, &teams.owner, kind.trim_end_matches('s')).await;
        }
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/{kind}?limit=2&cursor={next}");
            let listed = app.get(&teams.viewer.token, &path).await.json(200);
            seen.extend(listed["data"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
            match listed["next"].as_str() {
                Some(cursor) => next = cursor.to_owned(),
                None => break,
            }
        }
        let read = seen.len();
        seen.sort();
        seen.dedup();
        assert!(read >= 3 && seen.len() == read, "{kind}: {seen:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_as_what_it_is() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let send = |kind: &'static str, body: String| {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/monitors")
            .header(header::AUTHORIZATION, format!("Bearer {}", teams.admin.token))
            .header(header::CONTENT_TYPE, kind);
        app.send(request.body(Body::from(body)).unwrap())
    };
    for (kind, body, status) in [
        ("application/json", "{\"name\": ".to_owned(), 400),
        ("application/json", "[]".to_owned(), 400),
        ("application/x-www-form-urlencoded", "name=a".to_owned(), 415),
        ("application/json", format!("{{\"name\": \"{}\"}}", "x".repeat(300_000)), 413),
    ] {
        let answer = send(kind, body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    }
    let wrong = app.call(&teams.admin.token, axum::http::Method::PUT, "/api/v1/monitors", None).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.headers[header::ALLOW], "GET,HEAD,POST");
}
