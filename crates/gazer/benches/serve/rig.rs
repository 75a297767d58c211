//! One server under test with its targets and monitors.

use std::path::Path;
use std::time::Duration;

use gazer_domain::cadence::Cadence;
use gazer_domain::{MonitorId, Timestamp};
use gazer_testkit::client;
use gazer_testkit::process::Gazer;
use http::Method;
use http::Request;
use serde_json::{Value, json};

use crate::targets::{Scheme, Targets};

pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) gazer: Gazer,
    pub(crate) targets: Targets,
    /// In the order of their numbers at the target.
    pub(crate) monitors: Vec<MonitorId>,
    pub(crate) token: String,
    /// Kept for as long as the targets write to it.
    _scratch: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start(scheme: Scheme) -> Self {
        let scratch = tempfile::tempdir().expect("the temp directory is writable");
        let targets = Targets::start(scheme, scratch.path()).await;
        let mut recipe = Gazer::new(env!("CARGO_BIN_EXE_gazer"))
            .env("GAZER_OWNER_EMAIL", "ann@example.com")
            .env("GAZER_OWNER_PASSWORD", "correct horse battery");
        if let Some(authority) = targets.authority() {
            recipe = recipe.arg("--extra-ca").arg(authority);
        }
        let gazer = recipe.start().await;
        let token = token(&gazer, &[]).await;
        Self { gazer, targets, monitors: Vec::new(), token, _scratch: scratch }
    }

    /// A token of the first team, or as `more` says.
    pub(crate) async fn token(&self, more: &[&str]) -> String {
        token(&self.gazer, more).await
    }

    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let (status, made) = self.gazer.api(Method::POST, path, Some(&body), Some(&self.token)).await;
        assert_eq!(status, 201, "POST {path}: {made}");
        made
    }

    pub(crate) async fn monitor(&mut self, number: usize, url: String, interval: Duration) {
        let body = json!({
            "name": format!("Site {number}"), "kind": "http", "http": {"url": url},
            "interval": format!("{}s", interval.as_secs()), "verify": {"attempts": 0, "gap": "0s"},
        });
        let made = self.create("/api/v1/monitors", body).await;
        let id = made["id"].as_str().and_then(|id| id.parse().ok());
        self.monitors.push(id.unwrap_or_else(|| panic!("no id in {made}")));
    }

    pub(crate) async fn monitors(&mut self, count: usize) {
        for number in 0..count {
            let url = self.targets.url(number, &format!("/m/{number}"));
            self.monitor(number, url, INTERVAL).await;
            if number % 500 == 499 {
                eprintln!("  {} of {count} monitors", number + 1);
            }
        }
    }

    /// Bytes in the data directory, the log of the database included.
    pub(crate) fn data_bytes(&self) -> u64 {
        size(self.gazer.data())
    }

    /// How long the server takes for the Monitors page of somebody signed in.
    pub(crate) async fn page(&self) -> Duration {
        let form = "email=ann%40example.com&password=correct%20horse%20battery";
        let sign_in = Request::post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form.into())
            .expect("a request");
        let cookies = client::send(self.gazer.address(), sign_in).await.expect("an answer").cookies();
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let request =
                Request::get("/monitors").header("cookie", &cookies).body(Vec::new().into()).expect("a request");
            let started = tokio::time::Instant::now();
            let page = client::send(self.gazer.address(), request).await.expect("an answer");
            assert!(page.status == 200 && page.text().contains("Site 1"), "the Monitors page answers {}", page.status);
            fastest = fastest.min(started.elapsed());
        }
        fastest
    }

    pub(crate) fn cadence(&self, number: usize) -> Cadence {
        Cadence::new(self.monitors[number], INTERVAL, Timestamp::EPOCH)
    }
}

async fn token(gazer: &Gazer, more: &[&str]) -> String {
    let made = gazer.run(&[&["token", "create", "--name", "bench"], more].concat()).await;
    assert!(made.status.success(), "token create: {made:?}");
    String::from_utf8(made.stdout).expect("a token is text").trim().to_owned()
}

fn size(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).expect("the data directory is there");
    entries
        .flatten()
        .map(|entry| entry.metadata().map_or(0, |seen| if seen.is_dir() { size(&entry.path()) } else { seen.len() }))
        .sum()
}

/// The value below which this part of the sorted values lies.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}
