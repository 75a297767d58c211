//! A NATS server of the test's own, with JetStream, to be killed, emptied and started again on the same port.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::port;
use crate::until::until;

const STARTING: Duration = Duration::from_secs(20);
const INSTALL: &str = "install nats-server 2.11 or newer (scripts/setup-test-tools does), so that it is on PATH";

/// A running server; dropping it kills it and removes what it kept.
#[derive(Debug)]
pub struct Nats {
    port: u16,
    directory: TempDir,
    configuration: String,
    child: Option<Child>,
}

impl Nats {
    /// Open to everybody on loopback.
    ///
    /// # Panics
    /// If there is no nats-server, or it does not start.
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// With more in its configuration, such as accounts and what they may do.
    ///
    /// # Panics
    /// If there is no nats-server, or it does not start.
    pub async fn with(configuration: &str) -> Self {
        let directory =
            tempfile::Builder::new().prefix("gazer-nats-").tempdir().expect("the temp directory is writable");
        let mut nats = Self { port: port::free(), directory, configuration: configuration.to_owned(), child: None };
        nats.start_again().await;
        nats
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// `nats://127.0.0.1:4711`
    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// The URL for somebody whom the configuration names.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        format!("nats://{user}:{password}@{}", self.address())
    }

    /// SIGKILL, and waits for the corpse.
    ///
    /// # Panics
    /// If it is not running.
    pub async fn kill9(&mut self) {
        let mut child = self.child.take().expect("nats-server is running");
        child.kill().await.expect("a child of ours can be killed");
    }

    /// Forgets everything that it kept.
    ///
    /// # Panics
    /// If its files cannot be removed.
    pub fn wipe(&self) {
        let kept = self.directory.path().join("kept");
        if kept.exists() {
            std::fs::remove_dir_all(kept).expect("our own files can be removed");
        }
    }

    async fn answers(&self) -> bool {
        #[expect(clippy::disallowed_methods, reason = "a server of our own, on loopback")]
        let connected = TcpStream::connect(self.address()).await;
        connected.is_ok()
    }

    /// Starts it on what it left, and returns when it answers.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_again(&mut self) {
        let file = self.directory.path().join("nats.conf");
        let configuration = format!(
            "listen: \"{}\"\njetstream {{ store_dir: \"{}\" }}\n{}\n",
            self.address(),
            self.directory.path().join("kept").display(),
            self.configuration
        );
        std::fs::write(&file, configuration).expect("the temp directory is writable");
        let log = std::fs::File::create(self.directory.path().join("log")).expect("the temp directory is writable");
        let mut command = Command::new("nats-server");
        command.arg("--config").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().unwrap_or_else(|error| panic!("cannot run nats-server: {error}; {INSTALL}")));
        if !until(STARTING, async || self.answers().await).await {
            let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            panic!("nats-server does not answer:\n{log}");
        }
    }
}
