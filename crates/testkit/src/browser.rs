//! Headless Chromium through chromedriver, for clicking through pages as a person would.
//!
//! Each browser has a driver, a profile and a temp directory of its own. Background traffic is off, so a test sees only
//! what the page asks for. Every wait is for a condition with a deadline, and says what the page showed instead.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use crate::postgres::on_path;
use crate::usage::descendants;

const PATIENCE: Duration = Duration::from_secs(20);
const STARTS: usize = 5;

const INSTALL: &str = "install chromium and its driver (on Debian: apt-get install chromium chromium-driver)";

const FLAGS: [&str; 13] = [
    "--headless=new",
    // Chromium refuses to run as root with its sandbox, and tests run as root in containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--force-color-profile=srgb",
];

/// The sizes that pages are looked at in, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewport {
    /// 1280 × 800.
    Desktop,
    /// 390 × 844, touch.
    Phone,
}

/// `prefers-color-scheme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Dropping it kills the driver and the browser.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(pid) = self.driver.id() else { return };
        // Chromium outlives a driver that is killed, so its processes go first.
        let mut pids: Vec<String> = descendants(pid).iter().map(u32::to_string).collect();
        pids.push(pid.to_string());
        let mut kill = std::process::Command::new("sh");
        kill.args(["-c", "kill -KILL \"$@\"", "sh"]).args(pids).stderr(Stdio::null()).status().ok();
    }
}

impl Browser {
    /// # Panics
    /// If chromium or its driver is missing or does not start.
    pub async fn start() -> Self {
        let profile =
            tempfile::Builder::new().prefix("gazer-browser-").tempdir().expect("the temp directory is writable");
        let (driver, port) = driver(profile.path()).await;

        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = ClientBuilder::new(connector);
        builder.capabilities(capabilities(profile.path()));
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await;
        let client = client.unwrap_or_else(|error| panic!("chromium does not start ({INSTALL}): {error}"));
        let browser = Self { client, driver, _profile: profile };
        browser.viewport(Viewport::Desktop).await;
        browser
    }

    /// For what is not here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("cannot open {url}: {error}"));
    }

    /// The path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("a page is shown");
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// The text of the page as a person sees it.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The first element of this CSS selector, once there is one.
    ///
    /// # Panics
    /// If there is none within 20 s; the message shows the page.
    pub async fn find(&self, css: &str) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("no {css} on {}: {error}\n{}", self.path().await, self.text().await),
        }
    }

    /// Replaces the value of a field.
    pub async fn fill(&self, css: &str, value: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap_or_else(|error| panic!("cannot clear {css}: {error}"));
        field.send_keys(value).await.unwrap_or_else(|error| panic!("cannot type into {css}: {error}"));
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("cannot click {css}: {error}"));
    }

    /// Clicks the first visible link or button that reads exactly so, once there is one.
    pub async fn press(&self, label: &str) {
        let quoted = format!("concat('{}', '')", label.replace('\'', "', \"'\", '"));
        let path = format!("//*[self::a or self::button or self::summary][normalize-space(.)={quoted}]");
        match self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await {
            Ok(element) => element.click().await.unwrap_or_else(|error| panic!("cannot press {label:?}: {error}")),
            Err(error) => panic!("nothing reads {label:?} on {}: {error}\n{}", self.path().await, self.text().await),
        }
    }

    /// Returns once the page shows this text.
    pub async fn wait_for_text(&self, wanted: &str) {
        self.wait_for_text_within(wanted, PATIENCE).await;
    }

    /// # Panics
    /// If the page does not show it in time; the message shows what it does.
    pub async fn wait_for_text_within(&self, wanted: &str, patience: Duration) {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return;
            }
            let path = self.path().await;
            assert!(tokio::time::Instant::now() < deadline, "{path} does not show {wanted:?} but:\n{text}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Runs JavaScript in the page; `return` answers.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    pub async fn viewport(&self, viewport: Viewport) {
        let (width, height, mobile) = match viewport {
            Viewport::Desktop => (1280, 800, false),
            Viewport::Phone => (390, 844, true),
        };
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// What is in the viewport, as PNG.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let png = self.client.screenshot().await.expect("the page can be drawn");
        std::fs::write(path, png).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }

    /// What the console said since it was last asked: script errors, refusals of the content security policy, 404s.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({"type": "browser"})).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect()
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn devtools(&self, method: &str, params: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": method, "params": params})).await
    }

    async fn command(&self, endpoint: &'static str, body: Value) -> Value {
        let answer = self.client.issue_cmd(SessionCommand { endpoint, body }).await;
        answer.unwrap_or_else(|error| panic!("{endpoint}: {error}"))
    }
}

/// A POST to the session's own endpoint, which WebDriver leaves to vendors.
#[derive(Debug)]
struct SessionCommand {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.endpoint))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(profile: &Path) -> Capabilities {
    let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.push(format!("--user-data-dir={}", profile.join("profile").display()));
    let mut options = json!({ "args": flags });
    if let Some(binary) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path) {
        options["binary"] = json!(binary);
    }
    let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
    wanted.as_object().cloned().expect("it is written as an object just above").into_iter().collect()
}

/// Takes a free port, for IPv4 and for IPv6. Where another program has it for one of them, it ends, and looks again.
async fn driver(profile: &Path) -> (Child, u16) {
    let program = on_path("chromedriver").unwrap_or_else(|| panic!("chromedriver is missing: {INSTALL}"));
    for _ in 0..STARTS {
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .env("TMPDIR", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver can be run");
        if let Some(port) = port(&mut driver).await {
            return (driver, port);
        }
    }
    panic!("chromedriver says its port when it has started");
}

/// The rest of what the driver says is read and dropped, lest the pipe fills.
async fn port(driver: &mut Child) -> Option<u16> {
    let said = driver.stdout.take().expect("the pipe was asked for");
    let mut lines = BufReader::new(said).lines();
    let search = async {
        while let Ok(Some(line)) = lines.next_line().await {
            let port = line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.'));
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                return Some(port);
            }
        }
        None
    };
    let port = tokio::time::timeout(PATIENCE, search).await.ok().flatten();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    port
}
