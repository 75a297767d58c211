//! A deployment of its own for a test: PostgreSQL, the emulator, and what `osls deploy` makes there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gazer_bus::seal::Seals;
use gazer_store::SealingKey;
use gazer_testkit::client;
use gazer_testkit::port;
use gazer_testkit::postgres::Cluster;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::until::until;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

const STAGE: &str = "test";
/// Home.
pub(crate) const REGION: &str = "us-east-1";
const OWNER: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery";
/// The emulator's scheduler starts the first plan after a minute.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Connections of a function to the database.
pub(crate) const MOST_CONNECTIONS: u64 = 5;
/// The emulator is slow to start once in a while.
const STARTING: Duration = Duration::from_secs(60);

/// A deployment; dropping it ends the emulator and the functions with it.
#[derive(Debug)]
pub(crate) struct Stack {
    emulator: Child,
    port: u16,
    scratch: TempDir,
    pub(crate) cluster: Cluster,
    database: String,
    key: [u8; 32],
    /// The id of the HTTP API, and a token for it.
    pub(crate) api: String,
    token: String,
}

impl Stack {
    /// With nothing deployed yet but the parameters.
    ///
    /// # Panics
    /// If what `make aws-test` installs is not there.
    pub(crate) async fn bare() -> Self {
        let cluster = Cluster::start().await;
        let database = cluster.fresh_database().await;
        let scratch = tempfile::Builder::new().prefix("gazer-aws-").tempdir().unwrap();
        let port = port::free();
        copy_service(&scratch.path().join("deploy"));
        let emulator = emulator(port, scratch.path()).await;
        let (api, token) = (String::new(), String::new());
        let stack = Self { emulator, port, scratch, cluster, database, key: [7; 32], api, token };
        stack.write_parameters().await;
        stack
    }

    /// # Panics
    /// If the deployment fails.
    pub(crate) async fn deploy() -> Self {
        Self::deploy_with(&[]).await
    }

    /// # Panics
    /// If the deployment fails.
    pub(crate) async fn deploy_with(settings: &[&str]) -> Self {
        let mut stack = Self::bare().await;
        stack.osls(&[&["deploy", "--param", "database=given"], settings].concat()).await;
        stack.enter().await;
        stack
    }

    /// Makes of what was deployed something to call.
    pub(crate) async fn enter(&mut self) {
        self.api = self.ask("api", None).await.trim().to_owned();
        self.token = self.make_token().await;
    }

    /// Runs osls as an operator would, on this emulator.
    pub(crate) async fn osls(&self, arguments: &[&str]) {
        self.osls_with(arguments, REGION).await;
    }

    /// The same for what belongs into a further region.
    pub(crate) async fn osls_in(&self, region: &str, command: &str) {
        let home = format!("home={REGION}");
        self.osls_with(&[command, "--config", "region.yml", "--region", region, "--param", &home], region).await;
    }

    async fn osls_with(&self, arguments: &[&str], region: &str) {
        let folder = self.scratch.path().join("deploy");
        let mut command = Command::new(folder.join("node_modules/.bin/osls"));
        command.args(arguments).args(["--stage", STAGE, "--param", "egress=open"]);
        command.current_dir(folder).envs(self.environment(region)).env("GAZER_ZIP", zip());
        // Functions of an emulator are not frozen, and may say what they do.
        command.env("GAZER_LOG", "info");
        finished(command).await;
    }

    /// What `osls package` makes of it, as CloudFormation is given it.
    pub(crate) async fn template(&self, config: &str, setting: &str) -> PathBuf {
        let folder = self.scratch.path().join("package");
        self.osls(&["package", "--config", config, "--package", folder.to_str().unwrap(), "--param", setting]).await;
        folder.join("cloudformation-template-update-stack.json")
    }

    /// All that a further region has of the house.
    pub(crate) async fn write_region_key(&self, region: &str) {
        let key = SealingKey::from_bytes(self.key);
        let of_region = Seals::house(key.derive("bus")).region_key(&region.parse().unwrap()).unwrap();
        let parameters = json!({"/gazer/test/region-key": of_region.secret_text()});
        self.ask_in(region, "parameters", Some(&parameters)).await;
    }

    async fn write_parameters(&self) {
        self.write_region_key(REGION).await;
        let parameters = json!({
            "/gazer/test/key": BASE64_STANDARD.encode(self.key),
            "/gazer/test/database-url": self.database,
            "/gazer/test/database-password": "s3cret",
            "/gazer/test/owner-email": OWNER,
            "/gazer/test/owner-password": PASSWORD,
        });
        self.ask("parameters", Some(&parameters)).await;
    }

    /// The first request makes the owner; the command makes a token beside the functions.
    async fn make_token(&self) -> String {
        let (status, _) = self.call(Method::GET, "/monitors", None).await;
        assert_eq!(status, 401, "the API answers, and asks who we are");
        let said = self.gazer(&["token", "create", "--name", "test"]).await;
        said.split_whitespace().find(|word| word.starts_with("gzr_")).expect("it prints a token").to_owned()
    }

    /// Runs a command of Gazer beside the functions.
    pub(crate) async fn gazer(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_bootstrap")).with_file_name("gazer"));
        command.args(arguments).env("GAZER_DATABASE", &self.database);
        command.env("GAZER_KEY", BASE64_STANDARD.encode(self.key));
        finished(command).await
    }

    /// What `gazer aws outputs` prints of it.
    pub(crate) async fn outputs(&self) -> String {
        let file = self.scratch.path().join("deploy/outputs.json");
        self.gazer(&["aws", "outputs", "--file", file.to_str().unwrap()]).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let path = format!("/_aws/execute-api/{}/api/v1{path}", self.api);
        let token = Some(self.token.as_str()).filter(|token| !token.is_empty());
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        client::api(address, method, &path, body.as_ref(), token).await.unwrap()
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

    /// How many messages lie in the queues of what failed and of what did not arrive.
    pub(crate) async fn put_aside(&self) -> Value {
        serde_json::from_str(&self.ask("queues", None).await).unwrap()
    }

    /// # Panics
    /// If something lies in one of these queues.
    pub(crate) async fn nothing_was_put_aside(&self) {
        let depths = self.put_aside().await;
        if depths.as_object().unwrap().values().any(|depth| depth != 0) {
            panic!("{depths}\n{}", self.ask("aside", None).await);
        }
    }

    /// From now on keeps a copy of what is published on the topics of these functions.
    pub(crate) async fn tap(&self, functions: &[&str]) {
        self.ask("tap", Some(&json!(functions))).await;
    }

    /// What was published since the last time it was asked, in order.
    pub(crate) async fn tapped(&self, function: &str) -> Vec<String> {
        serde_json::from_str(&self.ask("tapped", Some(&json!(function))).await).unwrap()
    }

    /// Publishes each of these messages so many times.
    pub(crate) async fn publish(&self, function: &str, messages: &[String], times: usize) {
        let what = json!({"function": function, "messages": messages, "times": times});
        self.ask("publish", Some(&what)).await;
    }

    /// What its database says.
    pub(crate) async fn query(&self, sql: &str) -> String {
        let (_, name) = self.database.rsplit_once('/').unwrap();
        self.cluster.sql(name, sql).await.unwrap()
    }

    /// How many connections each function has to the database now.
    pub(crate) async fn connections(&self) -> BTreeMap<String, u64> {
        let sql =
            "SELECT application_name, count(*) FROM pg_stat_activity WHERE application_name LIKE 'gazer-%' GROUP BY 1";
        let said = self.cluster.sql("postgres", sql).await.unwrap();
        let rows = said.lines().filter_map(|line| line.split_once('|'));
        rows.map(|(name, count)| (name.to_owned(), count.parse().unwrap())).collect()
    }

    /// Ends a process of this function with SIGKILL.
    pub(crate) fn kill(&self, function: &str) {
        let variable = format!("GAZER_FUNCTION={function}");
        let is_it = |pid: &u32| {
            let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            variables.split(|byte| *byte == 0).any(|each| each == variable.as_bytes())
        };
        let found = gazer_testkit::usage::descendants(self.emulator.id().unwrap()).into_iter().find(is_it);
        signal("KILL", &[found.unwrap_or_else(|| panic!("no process of {function}"))]);
    }

    /// A channel that is told of everything, and its secret.
    pub(crate) async fn tell(&self, receiver: &WebhookReceiver) -> String {
        let hook = json!({"name": "Pager", "kind": "webhook", "webhook": {"url": receiver.url()}});
        let channel = self.create("/channels", hook).await;
        let rule = json!({
            "name": "All", "monitors": "all", "channels": [channel["id"]], "on": ["down", "recovered"], "after": "0s",
        });
        self.create("/alert-rules", rule).await;
        channel["webhook"]["secret"].as_str().unwrap().to_owned()
    }

    /// A monitor of this URL without verification, and its path in the API.
    pub(crate) async fn watch(&self, url: &str, interval: &str) -> String {
        let monitor = json!({
            "name": url, "kind": "http", "http": {"url": url, "timeout": "2s"},
            "interval": interval, "verify": {"attempts": 0, "gap": "0s"},
        });
        let monitor = self.create("/monitors", monitor).await;
        format!("/monitors/{}", monitor["id"].as_str().unwrap())
    }

    /// What there is of the account in this region.
    pub(crate) async fn left_in(&self, region: &str) -> Value {
        serde_json::from_str(&self.ask_in(region, "left", None).await).unwrap()
    }

    async fn ask(&self, what: &str, input: Option<&Value>) -> String {
        self.ask_in(REGION, what, input).await
    }

    async fn ask_in(&self, region: &str, what: &str, input: Option<&Value>) -> String {
        let mut command = python("aws.py");
        command
            .arg(what)
            .envs(self.environment(region))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.map(Value::to_string).unwrap_or_default().as_bytes()).await.unwrap();
        drop(stdin);
        let ended = child.wait_with_output().await.unwrap();
        assert!(ended.status.success(), "{what}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    fn environment(&self, region: &str) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", region.into()),
            ("HOME", self.scratch.path().display().to_string()),
        ]
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The functions are its children, and outlive it otherwise.
        let Some(pid) = self.emulator.id() else { return };
        let mut pids = gazer_testkit::usage::descendants(pid);
        pids.push(pid);
        signal("KILL", &pids);
    }
}

fn signal(name: &str, pids: &[u32]) {
    let mut kill = std::process::Command::new("sh");
    kill.args(["-c", "kill -s \"$@\"", "sh", name]).args(pids.iter().map(u32::to_string));
    kill.stderr(Stdio::null()).status().ok();
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Made by `make aws-test` from the binary of this build.
pub(crate) fn zip() -> PathBuf {
    root().join("target/aws/bootstrap.zip")
}

pub(crate) fn venv(program: &str) -> Command {
    Command::new(root().join("target/aws/venv/bin").join(program))
}

fn python(script: &str) -> Command {
    let mut command = venv("python");
    command.arg(root().join("crates/aws/tests/emulator").join(script));
    command
}

/// A folder of the test's own, since osls works in the one that it deploys.
fn copy_service(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let service = root().join("deploy/aws");
    std::os::unix::fs::symlink(service.join("node_modules"), folder.join("node_modules")).unwrap();
    for entry in std::fs::read_dir(service).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
}

/// What it printed, once it has ended well.
pub(crate) async fn finished(mut command: Command) -> String {
    let ended = command.stdin(Stdio::null()).output().await;
    let ended = ended.unwrap_or_else(|err| panic!("{command:?} cannot be run, `make aws-test` installs it: {err}"));
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{command:?}:\n{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    said
}

/// Without the caller's environment, which it would hand on to the functions.
async fn emulator(port: u16, scratch: &Path) -> Child {
    let log = std::fs::File::create(scratch.join("emulator.log")).unwrap();
    let mut command = python("launcher.py");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", scratch).env("TMPDIR", scratch);
    command.envs([("BIND_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")]);
    // Each function may do what its role allows, and nothing else; we may do everything.
    command.envs([("AUTH", "true"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    let endpoint = format!("http://127.0.0.1:{port}");
    command.env("GATEWAY_PORT", port.to_string()).env("AWS_ENDPOINT_URL", endpoint);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
    let child = command.spawn().unwrap_or_else(|err| panic!("the emulator, which `make aws-test` installs: {err}"));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let is_ready = async || {
        let answer = client::api(address, Method::GET, "/_ministack/ready", None, None).await;
        answer.is_ok_and(|(status, _)| status == 200)
    };
    assert!(until(STARTING, is_ready).await, "the emulator does not start");
    child
}
