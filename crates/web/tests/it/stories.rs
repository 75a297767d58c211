//! What a program does with the API, from end to end.

use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::app::App;
use crate::people;

#[tokio::test]
async fn a_monitor_goes_out_as_it_came_in() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.admin.token;
    let sent = json!({
        "name": "Shop",
        "kind": "http",
        "http": {
            "url": "https://shop.example/health",
            "method": "POST",
            "headers": {"X-Colour": "red", "X-Api-Key": "hush"},
            "body": "{}",
            "auth": {"kind": "basic", "user": "ann", "password": "hunter2"},
            "follow_redirects": 3,
            "verify_tls": false,
            "timeout": "5s",
            "assertions": [
                {"kind": "status", "in": "200-299,401"},
                {"kind": "json", "path": "$.ok", "op": "==", "value": true},
                {"kind": "time", "op": "<", "value": "800ms"},
            ],
        },
        "interval": "30s",
        "verify": {"attempts": 1, "gap": "2s"},
        "recover_after": 2,
    });
    let made = app.post(token, "/api/v1/monitors", sent.clone()).await;
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    let made = made.json(201);
    assert!(made["id"].as_str().unwrap().starts_with("mon_"));
    assert!(path.ends_with(made["id"].as_str().unwrap()));
    for member in ["name", "kind", "interval", "verify", "recover_after"] {
        assert_eq!(made[member], sent[member], "{member}");
    }
    for member in ["url", "method", "body", "follow_redirects", "verify_tls", "timeout", "assertions"] {
        assert_eq!(made["http"][member], sent["http"][member], "{member}");
    }
    assert_eq!(made["http"]["auth"], json!({"kind": "basic", "user": "ann"}));
    assert_eq!(made["http"]["headers"], json!({"X-Colour": "red", "X-Api-Key": "••••••••"}));
    assert_eq!(made["status"], "unknown");
    assert_eq!(made["last_check"], Value::Null);
    assert_eq!(made["uptime"]["24h"]["ratio"], Value::Null);
    assert_eq!(made["guarantee"], "43s", "30 s + 2 · 5 s + 2 s + 1 s");
    assert_eq!(app.get(&teams.viewer.token, &path).await.json(200), made);
    let listed = app.get(&teams.viewer.token, "/api/v1/monitors").await.json(200);
    assert_eq!(listed, json!({"data": [made], "next": null}));
}

#[tokio::test]
async fn a_patch_keeps_what_it_does_not_name_even_secrets() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.admin.token;
    let http = json!({
        "url": "https://shop.example/",
        "headers": {"X-Api-Key": "hush", "X-Colour": "red"},
        "auth": {"kind": "basic", "user": "ann", "password": "hunter2"},
        "body": "{}",
    });
    let made = app.post(token, "/api/v1/monitors", json!({"name": "Shop", "kind": "http", "http": http})).await;
    let id = made.json(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/monitors/{id}");
    let patch = json!({"http": {"headers": {"x-colour": null}, "auth": {"user": "ben"}, "body": null}});
    let edited = app.patch(token, &path, patch).await.json(200);
    assert_eq!(edited["name"], "Shop");
    assert_eq!(edited["revision"], 2);
    assert_eq!(edited["http"]["body"], Value::Null);
    let stored = app.store().monitor_get(teams.admin.team, id.parse().unwrap()).await.unwrap().unwrap();
    let gazer_domain::monitor::Spec::Http(http) = stored.monitor.settings.spec;
    assert_eq!(http.headers, [("X-Api-Key".to_owned(), "hush".to_owned())]);
    let kept = gazer_domain::http::Auth::Basic { user: "ben".into(), password: "hunter2".into() };
    assert_eq!(http.auth, Some(kept));
    let same = app.patch(token, &path, json!({"name": "Shop"})).await.json(200);
    assert_eq!(same["revision"], 2, "what changes nothing makes no revision");
    let other = app.patch(token, &path, json!({"http": {"auth": {"kind": "bearer", "token": "t"}}})).await.json(200);
    assert_eq!(other["http"]["auth"], json!({"kind": "bearer"}));
    let none = app.patch(token, &path, json!({"http": {"auth": null}})).await.json(200);
    assert_eq!(none["http"]["auth"], Value::Null);
}

#[tokio::test]
async fn pause_resume_check_and_delete() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.admin.token;
    let path = format!("/api/v1/monitors/{}", people::monitor(&app, &teams.admin).await);
    let act =
        |action: &str| app.call(token, Method::POST, Box::leak(format!("{path}/{action}").into_boxed_str()), None);
    let paused = act("pause").await.json(200);
    assert_eq!((&paused["status"], &paused["paused"]), (&json!("paused"), &json!(true)));
    assert_eq!(paused["cadence"]["next"], Value::Null);
    assert_eq!(act("check").await.status.as_u16(), 409);
    let resumed = act("resume").await.json(200);
    assert_eq!((&resumed["status"], &resumed["paused"]), (&json!("unknown"), &json!(false)));
    let seen = act("check").await.json(200);
    assert_eq!((&seen["verdict"], &seen["took"], &seen["cause"]), (&json!("up"), &json!("12ms"), &Value::Null));
    assert_eq!(app.call(token, Method::DELETE, &path, None).await.status.as_u16(), 204);
    assert_eq!(app.call(token, Method::DELETE, &path, None).await.status.as_u16(), 404);
    assert_eq!(app.get(token, &path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let body = json!({"name": format!("Site {n}"), "kind": "http", "http": {"url": "https://a.example/"}});
        made.push(app.post(&teams.admin.token, "/api/v1/monitors", body).await.json(201)["id"].clone());
    }
    let mut read = Vec::new();
    let mut path = "/api/v1/monitors?limit=2".to_owned();
    for rows in [2, 2, 1] {
        let page = app.get(&teams.viewer.token, &path).await.json(200);
        let data = page["data"].as_array().unwrap();
        assert_eq!(data.len(), rows);
        read.extend(data.iter().map(|monitor| monitor["id"].clone()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/monitors?limit=2&cursor={}", encoded(next)),
            None => assert_eq!(read.len(), 5),
        }
    }
    assert_eq!(read, made);
    let found = app.get(&teams.viewer.token, "/api/v1/monitors?search=site%203").await.json(200);
    assert_eq!(found["data"][0]["name"], "Site 3");
    let paused = app.get(&teams.viewer.token, "/api/v1/monitors?status=paused").await.json(200);
    assert_eq!(paused["data"], json!([]));
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_is_tested_at_once() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.admin.token;
    let body = json!({"name": "Hook", "kind": "webhook", "webhook": {"url": "https://hooks.example/in"}});
    let made = app.post(token, "/api/v1/channels", body).await.json(201);
    assert!(made["webhook"]["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/api/v1/channels/{}", made["id"].as_str().unwrap());
    let shown = app.get(token, &path).await.json(200);
    assert_eq!(shown["webhook"], json!({"url": "https://hooks.example/in"}));
    let to_a_viewer = json!({"url": "https://hooks.example/…"});
    assert_eq!(app.get(&teams.viewer.token, &path).await.json(200)["webhook"], to_a_viewer, "a path may be a password");
    let listed = app.get(&teams.viewer.token, "/api/v1/channels").await.json(200);
    assert_eq!(listed["data"][0]["webhook"], to_a_viewer);
    let patched = app.patch(token, &path, json!({"webhook": {"url": "https://hooks.example/out"}})).await.json(200);
    assert_eq!(patched["webhook"], json!({"url": "https://hooks.example/out"}));
    let refused = app.patch(token, &path, json!({"kind": "email"})).await;
    assert_eq!(refused.status.as_u16(), 422);
    let tested = app.call(token, Method::POST, &format!("{path}/test"), None).await.json(200);
    assert_eq!((&tested["state"], &tested["receipt"]), (&json!("delivered"), &json!("200 OK")));
    assert!(tested["id"].as_str().unwrap().starts_with("dlv_test_"));
}

#[tokio::test]
async fn a_rule_goes_out_as_it_came_in() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let token = &teams.admin.token;
    let channel = people::channel(&app, &teams.admin).await;
    let monitor = people::monitor(&app, &teams.admin).await.to_string();
    let sent = json!({"name": "Night", "monitors": [monitor], "channels": [channel], "on": ["down"], "after": "5m"});
    let made = app.post(token, "/api/v1/alert-rules", sent.clone()).await.json(201);
    for (member, value) in sent.as_object().unwrap() {
        assert_eq!(&made[member], value, "{member}");
    }
    let path = format!("/api/v1/alert-rules/{}", made["id"].as_str().unwrap());
    let edited =
        app.patch(token, &path, json!({"monitors": "all", "on": ["down", "recovered"], "after": "0s"})).await.json(200);
    assert_eq!(edited["monitors"], "all");
    assert_eq!(edited["on"], json!(["down", "recovered"]));
    assert_eq!(edited["after"], "0s");
    assert_eq!(app.get(&teams.viewer.token, "/api/v1/alert-rules").await.json(200)["data"], json!([edited]));
    assert_eq!(app.call(token, Method::DELETE, &path, None).await.status.as_u16(), 204);
}

#[tokio::test]
async fn an_incident_tells_its_story_with_its_evidence() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    people::make(&app, &teams.admin, "rule").await;
    let id = people::incident(&app, &teams.admin).await;
    let story = app.get(&teams.viewer.token, &format!("/api/v1/incidents/{id}")).await.json(200);
    assert_eq!(story["kind"], "down");
    assert_eq!(story["cause"]["code"], "connection_refused");
    assert_eq!(story["ended_at"], Value::Null);
    assert_eq!(story["link"], format!("http://gazer.example/incidents/{id}"));
    let attempt = &story["evidence"][0]["attempts"][0];
    assert_eq!(attempt["address"], "192.0.2.7:443");
    assert_eq!(attempt["phases"]["connect"], 1.0);
    assert_eq!(attempt["fault"]["code"], "connection_refused");
    assert_eq!(attempt["response"], Value::Null);
    assert_eq!(attempt["request"]["headers"][0]["value"], "••••••••");
    assert_eq!(story["events"][0]["kind"], "down");
    assert_eq!(story["deliveries"][0]["channel"]["name"], "Hook");
    let monitor = story["monitor"]["id"].as_str().unwrap();
    for (query, found) in [("", 1), ("?open=true", 1), ("?open=false", 0), (&format!("?monitor={monitor}"), 1)] {
        let list = app.get(&teams.viewer.token, &format!("/api/v1/incidents{query}")).await.json(200);
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
    }
    let theirs = app.get(&teams.other.token, &format!("/api/v1/incidents?monitor={monitor}")).await.json(200);
    assert_eq!(theirs["data"], json!([]));
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let made = app.post(&teams.owner.token, "/api/v1/tokens", json!({"name": "ci", "role": "viewer"})).await.json(201);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("gzr_"));
    assert_eq!(app.get(token, "/api/v1/monitors").await.status.as_u16(), 200);
    let listed = app.get(&teams.owner.token, "/api/v1/tokens").await.json(200);
    assert!(!listed.to_string().contains(token));
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(app.call(&teams.owner.token, Method::DELETE, &path, None).await.status.as_u16(), 204);
    assert_eq!(app.get(token, "/api/v1/monitors").await.status.as_u16(), 401);
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_sent_again_once() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let (reads, sends) = (&teams.viewer.token, &teams.admin.token);
    for (query, field) in [("", "state"), ("?state=waiting", "state"), ("?state=dead&cursor=x", "cursor")] {
        let refused = app.get(reads, &format!("/api/v1/deliveries{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.field().as_str()), (422, field), "{query}");
    }
    let mut dead = vec![people::undelivered(&app, &teams.owner).await];
    app.pass(std::time::Duration::from_secs(60));
    dead.push(people::undelivered(&app, &teams.owner).await);
    let page = app.get(reads, "/api/v1/deliveries?state=dead&limit=1").await.json(200);
    let next = page["next"].as_str().unwrap();
    let rest = app.get(reads, &format!("/api/v1/deliveries?state=dead&cursor={next}")).await.json(200);
    let ids: Vec<_> = [&page, &rest].iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
    assert_eq!((ids.len(), &rest["next"]), (3, &Value::Null), "the second incident is told to two channels");
    assert_eq!(ids[2]["id"], dead[0].as_str(), "the newest comes first");
    for row in ids {
        assert_eq!((&row["state"], &row["kind"], &row["monitor"]), (&json!("dead"), &json!("down"), &json!("Shop")));
        assert_eq!(row["can_be_sent_again"], true);
    }

    let path = format!("/api/v1/deliveries/{}/send-again", dead[0]);
    let sent = app.call(sends, Method::POST, &path, None).await.json(202);
    assert_eq!((&sent["id"], &sent["can_be_sent_again"]), (&json!(dead[0].as_str()), &json!(false)));
    let twice = app.call(sends, Method::POST, &path, None).await;
    let detail = twice.json(409)["detail"].clone();
    assert!(["It is on its way.", "It was delivered."].contains(&detail.as_str().unwrap()), "{detail}");
    assert_eq!(app.get(reads, "/api/v1/deliveries?state=dead").await.json(200)["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_regions_that_are_listed_are_those_that_a_monitor_may_name() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    app.store().region_add(&"new-york".parse().unwrap(), app.web.now()).await.unwrap();
    let listed = app.get(&teams.viewer.token, "/api/v1/regions").await.json(200);
    let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|region| region["name"].clone()).collect();
    assert_eq!((&names, &listed["next"]), (&vec![json!("local"), json!("new-york")], &Value::Null));
    let monitor =
        |regions| json!({"name": "Shop", "kind": "http", "http": {"url": "https://shop.example/"}, "regions": regions});
    let made = app.post(&teams.admin.token, "/api/v1/monitors", monitor(json!(names))).await.json(201);
    assert_eq!(made["regions"], json!(names));
    let refused = app.post(&teams.admin.token, "/api/v1/monitors", monitor(json!(["nowhere"]))).await;
    assert_eq!(refused.status.as_u16(), 422);
}
