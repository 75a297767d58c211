//! Drives the real binary from outside, by its API, as a program of a user would.

use std::time::Duration;

use gazer_testkit::process::{Gazer, Recipe};
use http::Method;
use serde_json::{Value, json};

pub(crate) const OWNER: &str = "ann@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A `gazer serve` whose owner exists already.
pub(crate) fn owned() -> Recipe {
    Gazer::new(env!("CARGO_BIN_EXE_gazer")).env("GAZER_OWNER_EMAIL", OWNER).env("GAZER_OWNER_PASSWORD", PASSWORD)
}

/// A running server and a token for it.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) gazer: Gazer,
    token: String,
}

impl Driver {
    pub(crate) async fn start(recipe: Recipe) -> Self {
        let gazer = recipe.start().await;
        let token = token(&gazer, &[]).await;
        Self { gazer, token }
    }

    /// What the header `Authorization` has to say.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A new token: of the first team, or as `more` says.
    pub(crate) async fn token(&self, more: &[&str]) -> String {
        token(&self.gazer, more).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.gazer.api(method, &format!("/api/v1{path}"), body.as_ref(), Some(&self.token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        let (status, made) = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(status, 201, "POST {path}: {made}");
        made
    }

    /// An http monitor with small bounds, so that stories are quick.
    pub(crate) async fn monitor(&self, name: &str, url: &str, more: Value) -> String {
        let mut body = json!({
            "name": name, "kind": "http", "http": {"url": url, "timeout": "1s"},
            "interval": "5s", "verify": {"attempts": 2, "gap": "1s"},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        let made = self.create("/monitors", body).await;
        text(&made["id"])
    }

    /// A webhook that everything is told to; answers its signing secret.
    pub(crate) async fn webhook(&self, url: &str) -> (String, String) {
        let channel =
            self.create("/channels", json!({"name": "Pager", "kind": "webhook", "webhook": {"url": url}})).await;
        let id = text(&channel["id"]);
        self.rule(&id).await;
        (id, text(&channel["webhook"]["secret"]))
    }

    pub(crate) async fn rule(&self, channel: &str) -> String {
        let rule = json!({"name": "Everything", "monitors": "all", "channels": [channel], "on": ["down", "recovered"], "after": "0s"});
        text(&self.create("/alert-rules", rule).await["id"])
    }

    /// Asks again until it holds.
    pub(crate) async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool, patience: Duration) -> Value {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let seen = self.get(path).await;
            if holds(&seen) {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "GET {path} still answers {seen:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn token(gazer: &Gazer, more: &[&str]) -> String {
    let made = gazer.run(&[&["token", "create", "--name", "ci"], more].concat()).await;
    assert!(made.status.success(), "token create: {made:?}");
    String::from_utf8(made.stdout).expect("a token is text").trim().to_owned()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
