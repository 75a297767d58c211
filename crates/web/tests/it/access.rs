//! Who reaches what: every route, driven by everybody, with own, foreign and random ids.
//!
//! `access.golden` is the list that a reviewer reads. The rule that no golden file can hold is asserted here: whoever
//! may ask at all gets the same answer for another team's id as for one that never was.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{Method, Request, header};
use gazer_domain::{DeliveryId, Timestamp};
use gazer_web::pages;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::golden;
use crate::people::{self, Person, Teams};

const CALLERS: [&str; 6] = ["stranger", "other", "viewer", "admin", "owner", "token"];

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_tells_nobody_of_foreign_ids() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let mut list = preface();
    for (method, path) in routes(&app).await {
        let row = drive(&app, &teams, &method, &path).await;
        writeln!(list, "{method:<6} {path:<44} {row}").unwrap();
    }
    golden::assert("access.golden", &list);
}

fn preface() -> String {
    let mut list = String::from(
        "# Status by caller. Three where the path names something: own / foreign / random id.\n\
         # Pages take a session, the API takes a token of the caller's role. `token` is an admin's API token at a page,\n\
         # and an admin's session at the API: the wrong proof.\n",
    );
    write!(list, "{:<51}", "").unwrap();
    for caller in CALLERS {
        write!(list, " {caller:<11}").unwrap();
    }
    list.truncate(list.trim_end().len());
    list.push('\n');
    list
}

async fn routes(app: &App) -> Vec<(String, String)> {
    let described = app.get("", "/api/v1/openapi.json").await.json(200);
    let mut routes = vec![
        ("GET".into(), "/healthz".into()),
        ("GET".into(), "/metrics".into()),
        ("GET".into(), "/api/v1/openapi.json".into()),
        ("GET".into(), "/api/v1/nothing".into()),
    ];
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.push((method.to_uppercase(), format!("/api/v1{path}")));
        }
    }
    routes.extend(pages::ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())));
    // Signing out is the last thing that one does.
    routes.sort_by_key(|(_, path)| path == "/sign-out");
    routes
}

async fn drive(app: &App, teams: &Teams, method: &str, path: &str) -> String {
    let mut row = String::new();
    for caller in CALLERS {
        let (person, foreigner) = match caller {
            "stranger" => (None, &teams.other),
            "other" => (Some(&teams.other), &teams.owner),
            "viewer" => (Some(&teams.viewer), &teams.other),
            "owner" => (Some(&teams.owner), &teams.other),
            _ => (Some(&teams.admin), &teams.other),
        };
        let crossed = caller == "token";
        let ask = |path: String| app.send(request(person, crossed, method, &path));
        let cell = if path.contains('{') {
            let mine = if caller == "other" { &teams.other } else { &teams.owner };
            let own = ask(made(app, mine, path).await).await.status.as_u16();
            // An issue is of no team: to whoever may see one, none is foreign.
            let is_nobodys = path.contains("{issue}");
            let foreign_path = if is_nobodys { random(app, path) } else { made(app, foreigner, path).await };
            let random_path = random(app, path);
            let (foreign, random) = (ask(foreign_path.clone()).await, ask(random_path.clone()).await);
            assert_eq!(told(&foreign, &foreign_path), told(&random, &random_path), "{caller} {method} {path}");
            format!("{own}/{}/{}", foreign.status.as_u16(), random.status.as_u16())
        } else {
            ask(format!("{path}{}", query(path))).await.status.as_u16().to_string()
        };
        write!(row, "{cell:<12}").unwrap();
    }
    row.trim_end().to_owned()
}

/// What an asker could tell two answers apart by. Where an answer names the address or an id that was asked for, it says
/// what the asker said; the rest must be the same.
fn told(answer: &Answer, path: &str) -> (u16, String) {
    let location = answer.headers.get(header::LOCATION).map_or("", |to| to.to_str().unwrap());
    let encoded: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let mut told = format!("{location}\n{}", answer.text).replace(path, "…").replace(&encoded, "…");
    for id in path.split('/').filter(|segment| segment.len() > 26) {
        told = told.replace(id, "…");
    }
    (answer.status.as_u16(), told)
}

fn request(person: Option<&Person>, crossed: bool, method: &str, path: &str) -> Request<Body> {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    let api = path.starts_with("/api/");
    if let Some(person) = person {
        request = match api != crossed {
            true => request.header(header::AUTHORIZATION, format!("Bearer {}", person.token)),
            false => request.header(header::COOKIE, &person.cookie),
        };
    }
    let (kind, body) = match (api, method) {
        (_, "GET" | "DELETE") => return request.body(Body::empty()).unwrap(),
        (true, _) => ("application/json", valid_body(path).to_string()),
        (false, _) => ("application/x-www-form-urlencoded", String::new()),
    };
    request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
}

/// What must be asked for, so that a refusal is one of authority.
fn query(path: &str) -> &'static str {
    if path == "/api/v1/deliveries" { "?state=dead" } else { "" }
}

/// A body that would be taken, so that a refusal is one of authority. Patches change nothing.
fn valid_body(path: &str) -> Value {
    match path {
        "/api/v1/monitors" => json!({"name": "New", "kind": "http", "http": {"url": "https://new.example/"}}),
        "/api/v1/channels" => json!({"name": "New", "kind": "email", "email": {"to": ["ann@example.com"]}}),
        // The one thing it must name is not there to be named, so the best answer is a refusal of that field.
        "/api/v1/alert-rules" => json!({"name": "New", "channels": ["chn_00000000000000000000000000"]}),
        "/api/v1/tokens" => json!({"name": "New"}),
        _ => json!({}),
    }
}

/// The path with ids of things that are made for it, and belong to that person's team.
async fn made(app: &App, person: &Person, path: &str) -> String {
    let mut filled = String::new();
    let mut last_monitor = None;
    for (before, segment) in segments(path) {
        let kind = kind_of(before, segment);
        let id = match kind {
            None => segment.to_owned(),
            Some("monitor") => {
                let id = people::monitor(app, person).await;
                last_monitor = Some(id);
                id.to_string()
            }
            Some("request") => {
                let monitor = last_monitor.unwrap();
                let request = app.store().request_add(person.team, monitor, app.web.now()).await.unwrap();
                request.unwrap().to_string()
            }
            Some(kind) => people::make(app, person, kind).await,
        };
        write!(filled, "/{id}").unwrap();
    }
    filled
}

fn random(app: &App, path: &str) -> String {
    let mut filled = String::new();
    for (before, segment) in segments(path) {
        let id = match kind_of(before, segment) {
            None => segment.to_owned(),
            Some("monitor") => app.web.new_id::<gazer_domain::id::Monitors>().to_string(),
            Some("incident") => app.web.new_id::<gazer_domain::id::Incidents>().to_string(),
            Some("channel") => app.web.new_id::<gazer_domain::id::Channels>().to_string(),
            Some("rule") => app.web.new_id::<gazer_domain::id::Rules>().to_string(),
            Some("token") => app.web.new_id::<gazer_domain::id::Tokens>().to_string(),
            Some("issue") => app.web.new_id::<gazer_domain::id::Issues>().to_string(),
            Some("undelivered") => DeliveryId::test(Timestamp::EPOCH, app.web.bytes()).to_string(),
            Some("name") => "nothing.css".to_owned(),
            Some(_) => "987654321".to_owned(),
        };
        write!(filled, "/{id}").unwrap();
    }
    filled
}

/// Each segment with the one before it.
fn segments(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let all = || path.split('/').skip(1);
    std::iter::once("").chain(all()).zip(all())
}

/// What a placeholder stands for. Pages say it; the API writes `{id}` after the name of the collection.
fn kind_of<'p>(before: &str, segment: &'p str) -> Option<&'p str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(match (name, before) {
        ("id", "monitors") => "monitor",
        ("id", "incidents") => "incident",
        ("id", "channels") => "channel",
        ("id", "alert-rules") => "rule",
        ("id", "tokens") => "token",
        ("id" | "delivery", "deliveries") => "undelivered",
        (name, _) => name,
    })
}
