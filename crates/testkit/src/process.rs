//! Our own binary as a child process, to be killed, ended and started again on the same data and port.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::client;
use crate::port;
use crate::record::Record;
use crate::usage::Usage;

/// A debug build on a busy machine starts within this, migrations included.
const STARTING: Duration = Duration::from_secs(60);
/// The product promises ten seconds; the rest is the machine's.
const ENDING: Duration = Duration::from_secs(20);

/// How to run it. [`Gazer::new`] → [`Recipe::arg`], [`Recipe::env`] → [`Recipe::start`].
#[derive(Debug)]
pub struct Recipe {
    binary: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    port: u16,
    /// Where its data lies: in a folder that goes with it, unless another is named.
    folder: PathBuf,
    _scratch: TempDir,
    /// The most files it may open, where that is not the machine's.
    descriptors: Option<u32>,
}

impl Recipe {
    /// One more argument of `serve`.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// With the key of another one, as those need that share a database.
    ///
    /// # Panics
    /// If that one has none.
    #[must_use]
    pub fn beside(self, other: &Gazer) -> Self {
        let copied = std::fs::copy(other.data().join("gazer.key"), self.folder.join("gazer.key"));
        copied.expect("a Gazer that was started has a key");
        self
    }

    /// Its data lies here, and outlives it.
    #[must_use]
    pub fn data_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// It may open no more files than this.
    #[must_use]
    pub fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// What it says when it ends at its start.
    ///
    /// # Panics
    /// If it does not.
    pub async fn refused(self) -> String {
        let mut gazer = Gazer { recipe: self, child: None, printed: Arc::default() };
        gazer.launch();
        let ended = tokio::time::timeout(STARTING, gazer.child.as_mut().expect("it was launched").wait()).await;
        let status = ended.expect("it ends").expect("a child can be waited for");
        assert!(!status.success());
        let said = gazer.printed.wait_until(|lines| lines.iter().any(|line| line.contains("error:")), ENDING).await;
        said.join("\n")
    }

    /// Starts it and waits until `/healthz` answers 200.
    ///
    /// # Panics
    /// If it ends or stays silent; the message shows what it printed.
    pub async fn start(self) -> Gazer {
        let mut gazer = Gazer { recipe: self, child: None, printed: Arc::default() };
        gazer.start().await;
        gazer
    }
}

/// Sends a signal, such as `KILL`, to a process that this test started.
///
/// # Panics
/// If there is no such process.
pub async fn signal(name: &str, pid: u32) {
    let pid = pid.to_string();
    let sent = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name} to {pid}");
}

/// A running `gazer serve`; dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Gazer {
    recipe: Recipe,
    child: Option<Child>,
    printed: Arc<Record<String>>,
}

impl Gazer {
    /// For `env!("CARGO_BIN_EXE_gazer")`, on a fresh data directory and a free port.
    #[expect(clippy::new_ret_no_self, reason = "what is not started is not a Gazer yet")]
    pub fn new(binary: impl AsRef<Path>) -> Recipe {
        let scratch = tempfile::Builder::new().prefix("gazer-data-").tempdir().expect("the temp directory is writable");
        let binary = binary.as_ref().to_owned();
        let folder = scratch.path().to_owned();
        let port = port::free();
        Recipe { binary, args: Vec::new(), env: Vec::new(), port, folder, _scratch: scratch, descriptors: None }
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.recipe.port))
    }

    /// `http://127.0.0.1:4711`, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn data(&self) -> &Path {
        &self.recipe.folder
    }

    /// The lines of stdout and stderr over all its lives.
    pub fn printed(&self) -> &Record<String> {
        &self.printed
    }

    /// # Panics
    /// If it is not running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("gazer is running")
    }

    /// What it costs at this moment.
    pub fn usage(&self) -> Usage {
        Usage::of(self.pid())
    }

    /// Starts it on the data it left and waits for `/healthz`.
    ///
    /// # Panics
    /// If it runs already, or does not come up.
    pub async fn start(&mut self) {
        self.launch();
        let deadline = Instant::now() + STARTING;
        while !self.healthy().await {
            let child = self.child.as_mut().expect("it was launched");
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                panic!("gazer ended with {status} while starting; it printed {:#?}", self.printed.all());
            }
            assert!(Instant::now() < deadline, "gazer is not up; it printed {:#?}", self.printed.all());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts it and waits for nothing: it may end before it answers.
    ///
    /// # Panics
    /// If it runs already.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "gazer is running already");
        let mut command = match self.recipe.descriptors {
            None => self.command(&self.recipe.binary),
            Some(most) => {
                let mut shell = self.command("sh".as_ref());
                shell.args(["-c", "ulimit -n \"$1\" && shift && exec \"$@\"", "sh", &most.to_string()]);
                shell.arg(&self.recipe.binary);
                shell
            }
        };
        command.arg("serve").arg("--data").arg(&self.recipe.folder);
        command.arg("--listen").arg(self.address().to_string()).args(&self.recipe.args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let binary = self.recipe.binary.display();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {binary}: {error}"));
        self.capture(child.stdout.take());
        self.capture(child.stderr.take());
        self.child = Some(child);
    }

    /// An environment variable for the starts that follow; none takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.recipe.env.retain(|(known, _)| known != name);
        if let Some(value) = value {
            self.recipe.env.push((name.into(), value.into()));
        }
    }

    /// How many files it may open from now on; at most as many as it was started with.
    ///
    /// # Panics
    /// If that cannot be set.
    pub async fn limit_descriptors(&self, most: u32) {
        let limit = format!("--nofile={most}:");
        let set = Command::new("prlimit").arg("--pid").arg(self.pid().to_string()).arg(limit).status().await;
        assert!(set.is_ok_and(|status| status.success()), "prlimit (of util-linux) cannot set {most} files");
    }

    /// Whether it still runs, and never ended since it was started.
    pub fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits for it to end by itself; answers whether it did.
    pub async fn ends_within(&mut self, patience: Duration) -> bool {
        let child = self.child.as_mut().expect("gazer is running");
        let ended = tokio::time::timeout(patience, child.wait()).await.is_ok();
        if ended {
            self.child = None;
        }
        ended
    }

    /// SIGKILL, and waits for the corpse.
    pub async fn kill9(&mut self) {
        let mut child = self.child.take().expect("gazer is running");
        child.kill().await.expect("a child of ours can be killed");
    }

    /// SIGTERM, and waits for it to drain.
    ///
    /// # Panics
    /// If it takes longer than twenty seconds.
    pub async fn term(&mut self) -> ExitStatus {
        self.signal("TERM").await;
        let mut child = self.child.take().expect("gazer was running a moment ago");
        match tokio::time::timeout(ENDING, child.wait()).await {
            Ok(status) => status.expect("a child can be waited for"),
            Err(_) => panic!("gazer ignores SIGTERM; it printed {:#?}", self.printed.all()),
        }
    }

    /// SIGSTOP: nothing of it runs until [`Self::thaw`].
    pub async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// SIGCONT.
    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        signal(name, self.pid()).await;
    }

    /// SIGTERM, then up again.
    pub async fn restart(&mut self) {
        self.term().await;
        self.start().await;
    }

    /// Another command on the same data: `run(&["token", "create", "--name", "ci"])`.
    pub async fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(&self.recipe.binary);
        command.args(args).arg("--data").arg(&self.recipe.folder).stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.expect("the binary can be run")
    }

    /// A call of its API.
    ///
    /// # Panics
    /// If there is no answer at all.
    pub async fn api(&self, method: Method, path: &str, json: Option<&Value>, token: Option<&str>) -> (u16, Value) {
        let answer = client::api(self.address(), method.clone(), path, json, token).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error:?}; gazer printed {:#?}", self.printed.all()))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs(self.recipe.env.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn healthy(&self) -> bool {
        let answer = client::api(self.address(), Method::GET, "/healthz", None, None).await;
        matches!(answer, Ok((200, _)))
    }

    /// Reads on until the pipe ends, or the child would block on a full one.
    fn capture(&self, pipe: Option<impl AsyncRead + Unpin + Send + 'static>) {
        let lines = BufReader::new(pipe.expect("the pipe was asked for"));
        let printed = Arc::clone(&self.printed);
        tokio::spawn(async move {
            let mut lines = lines.lines();
            while let Ok(Some(line)) = lines.next_line().await {
                printed.push(line);
            }
        });
    }
}
