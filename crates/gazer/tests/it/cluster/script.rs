//! What `make cluster` starts is a cluster: it watches from two regions, tells, and gets over the death of its
//! processes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use gazer_testkit::client;
use gazer_testkit::port;
use gazer_testkit::process::signal;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::record::Record;
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(90);

/// The script, and what it says.
struct Script {
    child: Child,
    said: Arc<Record<String>>,
    port: u16,
}

impl Script {
    fn start() -> Self {
        let port = port::free_row(4);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root is two folders above");
        let mut command = Command::new(root.join("scripts/cluster"));
        command.env("GAZER_BIN", env!("CARGO_BIN_EXE_gazer")).env("GAZER_CLUSTER_PORT", port.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("bash runs the script");
        let said: Arc<Record<String>> = Arc::default();
        let (mut lines, record) =
            (BufReader::new(child.stdout.take().expect("it was asked for")).lines(), Arc::clone(&said));
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                record.push(line);
            }
        });
        Self { child, said, port }
    }

    /// What stands after this word in the line that begins with it.
    async fn says(&self, word: &str) -> String {
        let line = self.said.wait_for(|line| line.trim_start().starts_with(word), PATIENCE).await;
        line.trim_start()[word.len()..].trim().to_owned()
    }

    /// `web` is 0 or 1: of the two with pages.
    fn address(&self, web: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port + web))
    }
}

/// A test that failed leaves no processes behind.
impl Drop for Script {
    fn drop(&mut self) {
        let Some(pid) = self.child.id() else { return };
        let asked = std::process::Command::new("kill").args(["-s", "TERM", &pid.to_string()]).status();
        assert!(asked.is_ok(), "kill is a program everywhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_of_the_makefile_watches_tells_and_heals() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut script = Script::start();
    let folder = script.says("logs").await;
    let worker = script.says("worker").await;
    let database = format!("postgres://gazer@127.0.0.1:{}/gazer", script.port + 2);
    let mut token = Command::new(env!("CARGO_BIN_EXE_gazer"));
    token.args(["token", "create", "--name", "ci", "--database", &database, "--data", &format!("{folder}/web1")]);
    let token = token.output().await.expect("the binary runs");
    assert!(token.status.success(), "{token:?}");
    let token = String::from_utf8(token.stdout).expect("a token is text").trim().to_owned();
    let call = async |web: u16, method: Method, path: &str, body: Option<Value>| {
        let path = format!("/api/v1{path}");
        client::api(script.address(web), method, &path, body.as_ref(), Some(&token)).await.expect("it answers").1
    };

    let hook = json!({"name": "Pager", "kind": "webhook", "webhook": {"url": receiver.url()}});
    let channel = call(0, Method::POST, "/channels", Some(hook)).await;
    let rule = json!({"name": "All", "monitors": "all", "channels": [channel["id"]], "on": ["down", "recovered"], "after": "0s"});
    call(1, Method::POST, "/alert-rules", Some(rule)).await;
    let monitor =
        json!({"name": "Shop", "kind": "http", "http": {"url": site.url(), "timeout": "2s"}, "interval": "5s"});
    let monitor = call(1, Method::POST, "/monitors", Some(monitor)).await;
    let path = format!("/monitors/{}", monitor["id"].as_str().expect("an id"));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = call(0, Method::GET, &path, None).await;
        let regions: Vec<_> = seen["health"].as_array().into_iter().flatten().collect();
        if regions.len() == 2 && regions.iter().all(|health| health["status"] == "up") {
            break;
        }
        assert!(Instant::now() < deadline, "{seen:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    site.break_with(Fault::Status(500)).await;
    signal("KILL", worker.parse().expect("a number")).await;
    script.says("worker ended, and runs again as").await;
    receiver.wait_for(|hook| hook.kind() == "monitor.down", PATIENCE).await;
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", PATIENCE).await;

    signal("INT", script.child.id().expect("it runs")).await;
    assert!(script.child.wait().await.expect("it can be waited for").success());
    assert!(!Path::new(&folder).exists(), "nothing is left");
}
