//! Two teams, their people, and one of everything.

use std::time::Duration;

use gazer_domain::access::Role;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::health::Health;
use gazer_domain::issue::{Fingerprint, Report};
use gazer_domain::observation::{Attempt, Hop, Phases, Request};
use gazer_domain::period::{Change, Status};
use gazer_domain::verdict::Verdict;
use gazer_domain::{DeliveryId, IncidentId, IssueId, MonitorId, Region, TeamId, Timestamp, UserId};
use gazer_store::{Advance, LastCheck, Settled, Token};
use gazer_web::auth::password::hash_blocking;
use gazer_web::auth::session;
use gazer_web::auth::token::Minted;
use serde_json::json;

use crate::app::App;

/// One person of a team, with both proofs of who they are.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) token: String,
    /// As a browser sends it back.
    pub(crate) cookie: String,
    pub(crate) team: TeamId,
}

pub(crate) struct Teams {
    pub(crate) owner: Person,
    pub(crate) admin: Person,
    pub(crate) viewer: Person,
    /// Owner of another team.
    pub(crate) other: Person,
}

pub(crate) async fn teams(app: &App) -> Teams {
    let now = app.web.now();
    let (ours, theirs): (TeamId, TeamId) = (app.web.new_id(), app.web.new_id());
    let owner: UserId = app.web.new_id();
    let hash = hash_blocking("correct horse", [1; 16]);
    assert!(app.store().owner_create(owner, "owner@example.com", &hash, ours, "Ours", now).await.unwrap());
    app.store().team_create(theirs, "Theirs", now).await.unwrap();
    Teams {
        owner: proofs(app, owner, ours, Role::Owner).await,
        admin: join(app, "admin@example.com", ours, Role::Admin).await,
        viewer: join(app, "viewer@example.com", ours, Role::Viewer).await,
        other: join(app, "other@example.com", theirs, Role::Owner).await,
    }
}

async fn join(app: &App, email: &str, team: TeamId, role: Role) -> Person {
    let user: UserId = app.web.new_id();
    assert!(app.store().user_create(user, email, "no password", app.web.now()).await.unwrap());
    app.store().member_add(team, user, role, app.web.now()).await.unwrap();
    proofs(app, user, team, role).await
}

async fn proofs(app: &App, user: UserId, team: TeamId, role: Role) -> Person {
    let pass = session::begin(&app.web, user, team).await.unwrap();
    let cookie = pass.0.to_str().unwrap().split(';').next().unwrap().to_owned();
    let minted = Minted::api_token(app.web.bytes());
    let token = Token { id: app.web.new_id(), name: "test".into(), role, created: app.web.now(), last_used: None };
    app.store().token_create(team, &token, minted.hash).await.unwrap();
    Person { token: minted.secret, cookie, team }
}

/// Makes one of a kind for a person's team and gives its id.
pub(crate) async fn make(app: &App, person: &Person, kind: &str) -> String {
    match kind {
        "monitor" => monitor(app, person).await.to_string(),
        "channel" => channel(app, person).await,
        "rule" => rule(app, person).await,
        "incident" => incident(app, person).await.to_string(),
        "token" => id(app, person, "/api/v1/tokens", json!({"name": "spare"})).await,
        "undelivered" => undelivered(app, person).await.to_string(),
        "name" => "nothing.css".into(),
        "issue" => issue(app).await.to_string(),
        other => panic!("there is no {other}"),
    }
}

pub(crate) async fn monitor(app: &App, person: &Person) -> MonitorId {
    let body = json!({"name": "Shop", "kind": "http", "http": {"url": "https://shop.example/"}, "interval": "30s"});
    id(app, person, "/api/v1/monitors", body).await.parse().unwrap()
}

pub(crate) async fn channel(app: &App, person: &Person) -> String {
    let body = json!({"name": "Hook", "kind": "webhook", "webhook": {"url": "https://hooks.example/"}});
    id(app, person, "/api/v1/channels", body).await
}

/// One that tells a channel of its own of everything.
async fn rule(app: &App, person: &Person) -> String {
    let body = json!({"name": "Everything", "channels": [channel(app, person).await]});
    id(app, person, "/api/v1/alert-rules", body).await
}

async fn id(app: &App, person: &Person, path: &str, body: serde_json::Value) -> String {
    app.post(&person.token, path, body).await.json(201)["id"].as_str().unwrap().to_owned()
}

/// A message that its receiver refused for good.
pub(crate) async fn undelivered(app: &App, person: &Person) -> DeliveryId {
    rule(app, person).await;
    // In an hour, so that those whom a bell woke do not see it first.
    let later = app.web.now() + Duration::from_secs(3_600);
    let incident = incident_at(app, person, later).await;
    let story = app.store().incident_get(person.team, incident).await.unwrap().unwrap();
    for claimed in app.store().deliveries_claim(later, Duration::from_secs(30), 500).await.unwrap() {
        let dead = Settled::Dead { why: "the receiver answered 410 Gone".into() };
        assert_eq!(app.store().deliveries_settle(&[claimed.came_to(dead)], app.web.now()).await.unwrap(), 1);
    }
    story.deliveries.last().expect("the new rule tells its channel").id.clone()
}

/// An error of Gazer itself, which is of no team.
pub(crate) async fn issue(app: &App) -> IssueId {
    let fresh: IssueId = app.web.new_id();
    let now = app.web.now();
    // Letters, for numbers make no difference.
    let place: String = fresh.to_string().bytes().map(|byte| char::from(b'a' + byte % 26)).collect();
    let message = format!("judge observations: monitors.settings of row {fresh} cannot be read: expected value");
    let report = Report {
        fingerprint: Fingerprint::of("judge", &place, &message, &["Corrupt".to_owned()]),
        function: "judge".into(),
        message,
        version: "0.1.0".into(),
        count: 3,
        at: now,
        process: "one".into(),
        region: Region::local(),
    };
    assert!(app.store().issue_report(&report, &[], fresh, now).await.unwrap().is_some());
    fresh
}

/// A monitor that went down a moment ago, with one failed attempt as evidence.
pub(crate) async fn incident(app: &App, person: &Person) -> IncidentId {
    incident_at(app, person, app.web.now()).await
}

async fn incident_at(app: &App, person: &Person, now: Timestamp) -> IncidentId {
    let monitor = monitor(app, person).await;
    let cause = Cause::new(Code::ConnectionRefused, "192.0.2.7:443 refused the connection");
    let new_id = app.web.new_id();
    let mut tx = app.store().begin().await.unwrap();
    let mut watches = tx.watches_lock(&[monitor]).await.unwrap();
    let watch = watches.get_mut(&monitor).unwrap();
    let change = Change { at: now, status: Status::Down };
    tx.turn(watch, change, Some(&cause), new_id, now).await.unwrap();
    tx.evidence_add(watch, 0, now, cause.code, &[refused(app, &cause)]).await.unwrap();
    tx.commit().await.unwrap();
    new_id
}

/// A monitor that is down in the second of three regions, and the other two say that it is up.
pub(crate) async fn regional(app: &App, person: &Person) -> (MonitorId, IncidentId) {
    let now = app.web.now();
    for name in ["frankfurt", "new-york"] {
        assert!(app.store().region_add(&name.parse().unwrap(), now).await.unwrap());
    }
    let monitor = monitor(app, person).await;
    let cause = Cause::new(Code::ConnectionRefused, "192.0.2.7:443 refused the connection");
    let new_id = app.web.new_id();
    let mut tx = app.store().begin().await.unwrap();
    let mut watches = tx.watches_lock(&[monitor]).await.unwrap();
    let watch = watches.get_mut(&monitor).unwrap();
    let took = std::time::Duration::from_millis(84);
    let advances = watch.tracks.iter().zip([Verdict::Up, Verdict::Down, Verdict::Up]).map(|(track, status)| Advance {
        track: track.key,
        health: Health { status, slot: now, covered: now + took, ..Health::fresh(now) },
        last: Some(LastCheck { slot: now, took, verdict: status }),
        certificate_until: None,
    });
    tx.health_advance(&advances.collect::<Vec<_>>()).await.unwrap();
    tx.turn(watch, Change { at: now, status: Status::Regional }, Some(&cause), new_id, now).await.unwrap();
    tx.evidence_add(watch, 1, now, cause.code, &[refused(app, &cause)]).await.unwrap();
    tx.commit().await.unwrap();
    (monitor, new_id)
}

fn refused(app: &App, cause: &Cause) -> Attempt {
    Attempt {
        started: app.web.now(),
        took: std::time::Duration::from_micros(1_500),
        hops: vec![Hop {
            request: Request {
                method: "GET".into(),
                url: "https://shop.example/".into(),
                headers: vec![("Cookie".into(), "crumbs".into())],
            },
            address: Some("192.0.2.7:443".parse().unwrap()),
            phases: Phases { dns: 500, connect: 1_000, ..Phases::default() },
            answer: None,
            certificate: None,
        }],
        fault: Some(cause.clone()),
        facts: Vec::new(),
    }
}
