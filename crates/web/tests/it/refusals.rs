//! What the API says to whoever sends something wrong: one line for each, reviewed as a list. Each names its field and
//! says in plain words what would be right; nothing of Rust, serde or our insides shows.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::golden;
use crate::people;

/// `path` with `value` in it, on top of something good.
fn with(mut base: Value, path: &str, value: Value) -> Value {
    let mut at = &mut base;
    for name in path.split('.') {
        at = match name.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[name],
        };
    }
    *at = value;
    base
}

fn monitor() -> Value {
    json!({
        "name": "Shop", "kind": "http", "interval": "30s", "verify": {"attempts": 2, "gap": "1s"}, "recover_after": 1,
        "http": {
            "url": "https://shop.example/", "method": "GET", "headers": {"Accept": "*/*"}, "body": "x",
            "auth": {"kind": "bearer", "token": "t"}, "follow_redirects": true, "verify_tls": true, "timeout": "10s",
            "assertions": [{"kind": "json", "path": "$.a", "op": "==", "value": 1}],
        },
    })
}

fn channel() -> Value {
    json!({"name": "c", "kind": "webhook", "webhook": {"url": "https://hooks.example/"}})
}

fn mail() -> Value {
    json!({"name": "c", "kind": "email", "email": {"to": ["ann@example.com"]}})
}

/// Where it is sent, something good, and what is put wrong in it: a field and its value.
type Wrong = (&'static str, Value, Vec<(&'static str, Value)>);

/// Of every field: the wrong type, the wrong value, and too much of it.
fn bodies() -> Vec<Wrong> {
    let huge = || json!(u64::MAX);
    let object = || json!({"a": 1});
    vec![
        (
            "monitors",
            monitor(),
            vec![
                ("name", json!(5)),
                ("name", json!("")),
                ("name", json!("x".repeat(121))),
                ("kind", json!(5)),
                ("kind", json!("gopher")),
                ("kind", Value::Null),
                ("http", json!("https://shop.example/")),
                ("http", json!(["https://shop.example/"])),
                ("http", Value::Null),
                ("http.url", json!(true)),
                ("http.url", json!("")),
                ("http.url", json!("http://")),
                ("http.url", json!("ftp://a.example/")),
                ("http.method", json!(1)),
                ("http.method", json!("BREW")),
                ("http.headers", json!(["Accept"])),
                ("http.headers.Accept", json!(1)),
                ("http.headers.Bad name", json!("x")),
                ("http.body", object()),
                ("http.auth", json!("secret")),
                ("http.auth.kind", json!("digest")),
                ("http.auth.kind", json!(1)),
                ("http.auth.token", json!(1)),
                ("http.auth.user", json!("ann")),
                ("http.follow_redirects", json!("yes")),
                ("http.follow_redirects", json!(-1)),
                ("http.follow_redirects", json!(2.5)),
                ("http.follow_redirects", huge()),
                ("http.verify_tls", json!("no")),
                ("http.timeout", json!(10)),
                ("http.timeout", json!("ten")),
                ("http.timeout", json!("99999999999999999999d")),
                ("http.assertions", object()),
                ("http.assertions", json!(["status"])),
                ("http.assertions.0.kind", json!("smell")),
                ("http.assertions.0.path", json!(1)),
                ("http.assertions.0.op", json!(1)),
                ("http.assertions.0.op", json!("~")),
                ("http.assertions.0.value", json!([])),
                ("http.assertions.0.is", json!(1)),
                ("http.colour", json!("red")),
                ("interval", json!(30)),
                ("interval", json!("soon")),
                ("interval", json!("30")),
                ("interval", json!("1s")),
                ("verify", json!(2)),
                ("verify.attempts", json!("two")),
                ("verify.attempts", json!(-1)),
                ("verify.attempts", json!(1.5)),
                ("verify.attempts", huge()),
                ("verify.gap", json!(1)),
                ("verify.tries", json!(1)),
                ("regions", json!("fra")),
                ("regions", json!([5])),
                ("regions", json!(["Frankfurt"])),
                ("regions", json!(["local", "local"])),
                ("regions", json!(["local", "mars"])),
                ("quorum", json!("most")),
                ("quorum", json!(0)),
                ("quorum", json!(2.5)),
                ("recover_after", json!("one")),
                ("recover_after", json!(300)),
                ("colour", json!("red")),
            ],
        ),
        (
            "channels",
            channel(),
            vec![
                ("name", json!(["c"])),
                ("kind", json!("pigeon")),
                ("webhook", json!("https://hooks.example/")),
                ("webhook", Value::Null),
                ("webhook.url", json!(1)),
                ("webhook.url", json!("nowhere")),
                ("webhook.secret", json!("x")),
                ("email", json!({"to": ["ann@example.com"]})),
                ("colour", json!("red")),
            ],
        ),
        (
            "channels",
            mail(),
            vec![
                ("email", json!("ann@example.com")),
                ("email.to", json!("ann@example.com")),
                ("email.to", json!([1])),
                ("email.to", json!(["ann"])),
                ("email.cc", json!([])),
            ],
        ),
        (
            "alert-rules",
            json!({"name": "r", "channels": [], "monitors": "all", "on": ["down"], "after": "0s"}),
            vec![
                ("name", json!(false)),
                ("channels", json!("all")),
                ("channels", json!([1])),
                ("channels", json!([])),
                ("monitors", json!("some")),
                ("monitors", json!(1)),
                ("monitors", object()),
                ("monitors", json!([1])),
                ("monitors", json!(["x"])),
                ("on", json!("down")),
                ("on", json!([1])),
                ("on", json!(["up"])),
                ("after", json!(0)),
                ("after", json!("later")),
                ("colour", json!("red")),
            ],
        ),
        (
            "tokens",
            json!({"name": "t", "role": "admin"}),
            vec![("name", json!(1)), ("role", json!(1)), ("role", json!("god")), ("scope", json!("all"))],
        ),
    ]
}

/// A value as it was sent, short enough for a line.
fn sent(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 48 { format!("{}…", text.chars().take(47).collect::<String>()) } else { text }
}

fn told(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let field = problem["field"].as_str().map(|field| format!("{field}: ")).unwrap_or_default();
    format!("{} {field}{}", answer.status.as_u16(), problem["detail"].as_str().unwrap_or(&answer.text))
}

#[tokio::test]
async fn every_refusal_names_its_field_and_says_what_would_be_right() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let mut list = String::new();
    for (path, good, wrongs) in bodies() {
        for (field, value) in wrongs {
            let answer = app
                .post(&teams.owner.token, &format!("/api/v1/{path}"), with(good.clone(), field, value.clone()))
                .await;
            list.push_str(&format!("POST {path} {field} = {}\n    {}\n", sent(&value), told(&answer)));
        }
    }
    for path in ["monitors", "channels", "alert-rules", "tokens"] {
        let answer = app.post(&teams.owner.token, &format!("/api/v1/{path}"), json!({})).await;
        list.push_str(&format!("POST {path} {{}}\n    {}\n", told(&answer)));
    }
    golden::assert("refusals.golden", &list);
    let said = list.lines().filter(|line| line.starts_with(' ')).collect::<String>();
    for word in ["struct", "enum", "variant", "u8", "string", "sequence", "integer", "expected", "boolean", "a map"] {
        assert!(!said.contains(word), "{word} is no word for people");
    }
}

#[tokio::test]
async fn a_patch_refuses_null_where_it_means_nothing() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.owner.token;
    let made = app.post(token, "/api/v1/monitors", monitor()).await.json(201);
    let monitor = format!("/api/v1/monitors/{}", made["id"].as_str().unwrap());
    let rule = format!("/api/v1/alert-rules/{}", people::make(&app, &teams.owner, "rule").await);
    let hook = format!("/api/v1/channels/{}", people::channel(&app, &teams.owner).await);
    let fields = |path: &str| -> &[&str] {
        match path.split('/').nth(3).unwrap() {
            "monitors" => &[
                "name",
                "http",
                "interval",
                "verify",
                "verify.attempts",
                "verify.gap",
                "recover_after",
                "http.url",
                "http.method",
                "http.headers",
                "http.follow_redirects",
                "http.verify_tls",
                "http.timeout",
                "http.assertions",
            ],
            "channels" => &["name", "webhook", "webhook.url", "email"],
            _ => &["name", "monitors", "channels", "on", "after"],
        }
    };
    for path in [&monitor, &rule, &hook] {
        let before = app.get(token, path).await.json(200);
        for field in fields(path) {
            let mut patch = json!({});
            let names: Vec<&str> = field.split('.').collect();
            match names[..] {
                [outer, inner] => patch[outer][inner] = Value::Null,
                _ => patch[names[0]] = Value::Null,
            }
            let answer = app.patch(token, path, patch).await;
            let right = format!("422 {field}: must not be null; leave it out to keep it as it is");
            assert_eq!(told(&answer), right, "{path}");
        }
        assert_eq!(app.get(token, path).await.json(200), before);
    }
    for patch in [json!({"kind": "email"}), json!({"kind": "email", "email": {"to": ["ann@example.com"]}})] {
        let answer = app.patch(token, &hook, patch).await;
        assert_eq!(told(&answer), "422 kind: cannot change: make another channel");
    }
    let cleared = json!({"http": {"body": null, "auth": null, "headers": {"Accept": null}}});
    let http = app.patch(token, &monitor, cleared).await.json(200)["http"].clone();
    assert_eq!((&http["body"], &http["auth"], &http["headers"]), (&Value::Null, &Value::Null, &json!({})));
    let schema = app.get("", "/api/v1/openapi.json").await.json(200)["components"]["schemas"].clone();
    for (name, clears) in [
        ("MonitorPatch", &[][..]),
        ("VerifyPatch", &[]),
        ("HttpPatch", &["body", "auth"]),
        ("ChannelPatch", &[]),
        ("RulePatch", &[]),
    ] {
        assert_eq!(schema[name]["required"], Value::Null, "{name}");
        for (field, described) in schema[name]["properties"].as_object().unwrap() {
            let nullable = described["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
                || described["oneOf"].as_array().is_some_and(|of| of.contains(&json!({"type": "null"})));
            assert_eq!(nullable, clears.contains(&field.as_str()), "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_in_plain_words() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    for (kind, body, right) in [
        ("application/json", "", "400 The body is empty. Send a JSON object."),
        ("application/json", "[]", "400 The body must be a JSON object."),
        ("application/json", "null", "400 The body must be a JSON object."),
        ("application/json", "{\"name\": \"a\",}", "400 The body is not JSON: trailing comma at line 1 column 14"),
        ("application/json", "{\"name\": ", "400 The body is not JSON: EOF while parsing a value at line 1 column 9"),
        ("text/plain", "{}", "415 Send JSON, with Content-Type: application/json"),
        ("", "{}", "415 Send JSON, with Content-Type: application/json"),
        ("application/merge-patch+json; charset=utf-8", "{}", "422 name: is missing"),
    ] {
        let mut request =
            Request::post("/api/v1/monitors").header(header::AUTHORIZATION, format!("Bearer {}", teams.admin.token));
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(told(&answer), right, "{kind} {body}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    }
}
