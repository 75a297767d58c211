//! Gazer itself fails: its operator is told, once, and again when what was mended comes back; no team is told, and no
//! secret with it.

use std::time::Duration;

use gazer_testkit::client;
use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::Site;
use http::{Request, header};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::driver::{Driver, OWNER, PASSWORD, owned, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What is promised.
const MINUTE: Duration = Duration::from_secs(60);

/// Writes to the database behind the back of the Gazer that serves it, as a mistaken hand would.
async fn write_behind(app: &Driver, sql: String) {
    let path = app.gazer.data().join("gazer.db");
    let mut conn = SqliteConnectOptions::new().filename(path).connect().await.expect("its database opens");
    let touched = sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.expect("it takes the write");
    assert_eq!(touched.rows_affected(), 1);
    conn.close().await.expect("it closes");
}

async fn command(app: &Driver, args: &[&str]) -> String {
    let said = app.gazer.run(&[&["issues"], args].concat()).await;
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).expect("it is text")
}

async fn shown(app: &Driver, id: &str) -> Value {
    serde_json::from_str(&command(app, &["show", id, "--json"]).await).expect("it is JSON")
}

/// Asks again until it holds.
async fn until(app: &Driver, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + MINUTE;
    loop {
        let seen = shown(app, id).await;
        if holds(&seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "{seen:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn sign_in(app: &Driver) -> String {
    let form = format!("email={}&password={}", OWNER.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    let request = Request::post("/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.body(form.into_bytes().into()).expect("a request");
    client::send(app.gazer.address(), request).await.expect("an answer").cookies()
}

async fn page(app: &Driver, cookie: &str, path: &str) -> String {
    let request = Request::get(path).header(header::COOKIE, cookie).body(Vec::new().into()).expect("a request");
    let answer = client::send(app.gazer.address(), request).await.expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

fn function(told: &Received) -> &str {
    told.json["data"]["issue"]["function"].as_str().unwrap_or_default()
}

/// What was told of the judge; where a check is overdue, the audit meets the same row, and its issue is another.
fn kinds(operator: &WebhookReceiver) -> Vec<String> {
    let told = operator.received().into_iter().filter(|told| function(told) == "judge");
    told.map(|told| told.kind().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_our_own_is_told_once_and_again_when_it_is_back() {
    let (operator, owner) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let site = Site::http().await;
    let recipe = owned().env("GAZER_OPERATOR_WEBHOOK", operator.url()).env("GAZER_OPERATOR_SECRET", SECRET);
    let app = Driver::start(recipe).await;
    let (_, secret) = app.webhook(&owner.url()).await;
    let key = secret.trim_start_matches("whsec_");
    let monitor = app.monitor("Shop", &site.url(), json!({})).await;
    app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", MINUTE).await;
    let quorum = |words: &str| write_behind(&app, format!("update monitors set quorum = '{words}'"));

    // What the judge reads of each monitor is no word of ours any more, but a secret that got to the wrong place.
    quorum(&secret).await;
    let first = operator.wait_for(|told| function(told) == "judge", MINUTE).await;
    first.verify(SECRET).expect("the signature holds");
    let told = &first.json["data"]["issue"];
    assert_eq!(first.kind(), "issue.new", "{:#}", first.json);
    let message = text(&told["message"]);
    assert!(message.starts_with("a monitor cannot be judged: monitors.quorum of row"), "{message}");
    let id = text(&told["id"]);
    assert!(text(&told["link"]).ends_with(&format!("/operator/issues/{id}")), "{told:#}");

    // Each check of the monitor is one more.
    let counted = until(&app, &id, |seen| seen["count"].as_u64() >= Some(3)).await;
    assert_eq!((text(&counted["state"]), text(&counted["message"])), ("open".into(), message), "{counted:#}");
    let cookie = sign_in(&app).await;
    let pages =
        [page(&app, &cookie, "/operator/issues").await, page(&app, &cookie, &format!("/operator/issues/{id}")).await];
    assert!(pages.iter().all(|page| page.contains("a monitor cannot be judged")), "{pages:?}");
    let list = command(&app, &["--state", "open"]).await;
    assert!(list.contains(&id) && list.contains("a monitor cannot be judged"), "{list}");
    assert_eq!(kinds(&operator), ["issue.new"], "once");

    quorum("majority").await;
    // What was on its way is over.
    let path = format!("/monitors/{monitor}");
    let last = app.get(&path).await["last_check"].clone();
    app.until(&path, |seen| seen["last_check"] != last, MINUTE).await;
    command(&app, &["resolve", &id]).await;
    assert_eq!(shown(&app, &id).await["state"], "resolved");
    quorum(&secret).await;
    let is_back = |told: &Received| told.kind() == "issue.regressed" && function(told) == "judge";
    let second = operator.wait_for(is_back, MINUTE).await;
    second.verify(SECRET).expect("the signature holds");
    assert_eq!(text(&second.json["data"]["issue"]["id"]), id);
    assert_ne!(first.id(), second.id());
    until(&app, &id, |seen| seen["state"] == "open").await;

    assert_eq!(kinds(&operator), ["issue.new", "issue.regressed"], "each once");
    assert!(owner.received().is_empty(), "no team hears of our faults: {:#?}", owner.received());
    let told: String = operator.received().iter().map(|told| told.json.to_string()).collect();
    let kept = shown(&app, &id).await.to_string();
    for said in pages.iter().chain([&list, &told, &kept]) {
        assert!(!said.contains(key), "a secret is in {said}");
    }
}
