//! Gazer goes blind: its operator is told, its tenants are not, and whoever listens for signs of life hears none.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use gazer_testkit::client;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::process::{Gazer, Recipe};
use gazer_testkit::receiver::{Answer, Received, WebhookReceiver};
use gazer_testkit::record::Record;
use gazer_testkit::site::Site;
use gazer_testkit::smtp::{Security, SmtpServer};
use gazer_testkit::until::until;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::driver::{Driver, owned, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What is promised of the first word; here looks are taken more often, and this is what a busy machine may take.
const PROMISED: Duration = Duration::from_secs(120);

/// Looks each second, and gives a sign of life at each fourth.
fn watched(operator: &WebhookReceiver) -> Recipe {
    owned().env("GAZER_LOOK_EVERY", "1s").env("GAZER_OPERATOR_WEBHOOK", operator.url())
}

/// A series of `/metrics`.
async fn metric(gazer: &Gazer, series: &str) -> u64 {
    let request = Request::get("/metrics").body(axum::body::Bytes::new().into()).expect("a request");
    let told = client::send(gazer.address(), request).await.expect("an answer").text();
    let value = told.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("{series} is not among\n{told}"))
}

async fn impaired(gazer: &Gazer) -> bool {
    metric(gazer, "gazer_impaired{region=\"local\"}").await == 1
}

/// Waits until it has looked so often since it started.
async fn looked(gazer: &Gazer, times: u64) {
    let series = "gazer_function_items_looked_at_total{function=\"canary\"}";
    assert!(until(PROMISED, async || metric(gazer, series).await >= times).await, "it does not look");
}

fn news(received: &Received) -> (&str, &str) {
    (received.kind(), received.json["data"]["cause"]["code"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_to_the_operator_and_to_no_tenant() {
    let (operator, owner) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let (site, outside) = (Site::http().await, Site::http().await);
    let mut cluster = Cluster::start().await;
    let recipe = watched(&operator)
        .env("GAZER_OPERATOR_SECRET", SECRET)
        .env("GAZER_DATABASE", cluster.fresh_database().await)
        .env("GAZER_PING_URL", format!("{}alive", outside.url()));
    let app = Driver::start(recipe).await;
    app.webhook(&owner.url()).await;
    let monitor = app.monitor("Shop", &site.url(), json!({})).await;
    app.until(&format!("/monitors/{monitor}"), |seen| seen["status"] == "up", PROMISED).await;
    let alive = outside.record().wait_until(|hits| hits.len() >= 2, PROMISED).await;
    assert!(alive.iter().all(|hit| (hit.method.as_str(), hit.path.as_str()) == ("GET", "/alive")), "{alive:?}");
    assert!(!impaired(&app.gazer).await);

    cluster.stop().await;
    let first = operator.wait_for(|_| true, PROMISED).await;
    first.verify(SECRET).expect("the signature holds");
    assert_eq!(news(&first), ("operator.impaired", "store_silent"), "{:#}", first.json);
    let told = &first.json["data"];
    assert_eq!((told["region"].as_str(), told["ended_at"].is_null()), (Some("local"), true), "{told:#}");
    assert!(impaired(&app.gazer).await);
    // Longer than from one sign of life to the next: checks go on meanwhile.
    let (asked, signs) = (site.hits().len(), outside.hits().len());
    site.record().wait_until(|hits| hits.len() >= asked + 2, PROMISED).await;
    assert_eq!(outside.hits().len(), signs, "no sign of life while we are blind");

    cluster.start_again().await;
    let last = operator.wait_for(|told| told.kind() == "operator.recovered", PROMISED).await;
    last.verify(SECRET).expect("the signature holds");
    assert_eq!(last.json["data"]["started_at"], told["started_at"], "{:#}", last.json);
    assert!(text(&last.json["data"]["ended_at"]) > text(&told["started_at"]), "{:#}", last.json);
    assert_ne!(first.id(), last.id());
    outside.record().wait_until(|hits| hits.len() > signs, PROMISED).await;
    assert!(!impaired(&app.gazer).await);
    assert_eq!(operator.received().len(), 2, "each once: {:#?}", operator.received());
    assert!(owner.received().is_empty(), "no tenant hears of our faults: {:#?}", owner.received());
}

/// A host that is always there, until it is not.
struct Witness {
    port: u16,
    heard: Arc<Record<()>>,
    listening: JoinHandle<()>,
}

impl Witness {
    async fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let heard = Arc::new(Record::default());
        let record = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                record.push(());
            }
        });
        Self { port, heard, listening }
    }

    async fn goes(self) -> u16 {
        self.listening.abort();
        let _ = self.listening.await;
        self.port
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_to_be_told_outlives_a_kill() {
    let (operator, mail) = (WebhookReceiver::start().await, SmtpServer::start(Security::None).await);
    let witness = Witness::on(0).await;
    let recipe = watched(&operator)
        .arg("--witness")
        .arg(format!("127.0.0.1:{}", witness.port))
        .arg("--smtp-url")
        .arg(format!("smtp://{}?tls=none", mail.address()))
        .arg("--smtp-from")
        .arg("gazer@example.com")
        .arg("--operator-email")
        .arg("ops@example.com");
    let mut app = Driver::start(recipe).await;
    let said = app.gazer.printed().wait_for(|line| line.contains("whsec_"), PROMISED).await;
    let secret = said.split([' ', ';']).find(|word| word.starts_with("whsec_")).expect("a secret").to_owned();
    // Witnesses are asked once somebody watches the internet; a second time by a look, as it has a vote now.
    app.monitor("Nowhere", "http://nowhere.invalid/", json!({})).await;
    witness.heard.wait_until(|heard| heard.len() >= 2, PROMISED).await;

    operator.answer_next(1_000, Answer::Status(500));
    let port = witness.goes().await;
    let refused = operator.wait_for(|_| true, PROMISED).await;
    assert_eq!(news(&refused), ("operator.impaired", "network_down"), "{:#}", refused.json);
    mail.wait_for(|mail| mail.data.contains("IMPAIRED"), PROMISED).await;
    app.gazer.kill9().await;
    let before = operator.received().len();
    operator.answer_well();
    app.gazer.start().await;
    let told = operator.wait_until(|all| all.len() > before, PROMISED).await.remove(before);
    assert_eq!((told.id(), &told.body), (refused.id(), &refused.body), "the same under the same id");
    told.verify(&secret).expect("the secret that nobody gave is kept");
    let said = app.gazer.printed().all().into_iter().filter(|line| line.contains("whsec_")).count();
    assert_eq!(said, 1, "it is said once");

    // Nobody has a vote after a start. What was silent is asked all the same: that nobody says so is no recovery.
    looked(&app.gazer, 5).await;
    assert!(impaired(&app.gazer).await && operator.received().len() == before + 1, "{:#?}", operator.received());
    let witness = Witness::on(port).await;
    let last = operator.wait_for(|told| told.kind() == "operator.recovered", PROMISED).await;
    assert_eq!(last.json["data"]["started_at"], told.json["data"]["started_at"], "{:#}", last.json);
    let letter = mail.wait_for(|mail| mail.data.contains("RECOVERED"), PROMISED).await;
    assert!(letter.data.contains("network_down"), "{}", letter.data);
    assert_eq!(operator.received().len(), before + 2, "{:#?}", operator.received());
    drop(witness);
}
