//! A PostgreSQL of the test's own: one cluster per test process, one fresh database per test.
//!
//! The cluster lives in a temp directory and belongs to a shell that reads orders from a pipe of this process. When the
//! process ends, in whatever way, the pipe ends; the shell then stops the server and removes the directory. PostgreSQL
//! refuses to run as root, so for root it runs as `postgres` or `nobody`.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::port;
use crate::until::until;

const STARTING: Duration = Duration::from_secs(60);

const INSTALL: &str = "install PostgreSQL (on Debian and Ubuntu: apt-get install postgresql), \
                       so that initdb, postgres and psql are on PATH or in /usr/lib/postgresql/*/bin";

/// Speed for what a loss of power would cost; a crash of the server still costs nothing that was committed. Room for many
/// small pools.
const SETTINGS: [&str; 5] =
    ["fsync=off", "full_page_writes=off", "max_connections=300", "shared_buffers=32MB", "autovacuum=off"];

/// A running cluster, trusted by anybody on loopback.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    port: u16,
    psql: PathBuf,
    databases: AtomicU32,
    /// Holds the pipe whose end is the shell's sign to clean up.
    shell: Child,
}

/// What the keeper does: `stop` and `start` by order, and at the end of the orders stop and remove everything. SIGQUIT is
/// the immediate shutdown, a crash that still frees the shared memory.
const KEEPER: &str = r#"directory=$1; shift; "$@" & server=$!
while read -r order; do
    case $order in
        stop) kill -QUIT $server; wait $server ;;
        start) "$@" & server=$! ;;
    esac
done
kill -QUIT $server; wait $server; rm -rf "$directory""#;

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
    }
}

/// A URL of an empty database in the shared cluster: `postgres://postgres@127.0.0.1:4711/test_1`.
pub async fn fresh_database() -> String {
    Cluster::shared().await.fresh_database().await
}

impl Cluster {
    /// The cluster of this process, started by whoever asks first.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A cluster of one's own, to be stopped in the middle of a test by dropping it.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub async fn start() -> Self {
        let cluster = tokio::task::spawn_blocking(Self::spawn).await.expect("starting a cluster does not panic twice");
        cluster.until(true).await;
        cluster
    }

    /// Stops the server as a crash would, and returns when it refuses.
    pub async fn stop(&mut self) {
        self.order("stop");
        self.until(false).await;
    }

    /// Starts it again on what it left, and returns when it answers.
    pub async fn start_again(&mut self) {
        self.order("start");
        self.until(true).await;
    }

    fn order(&mut self, order: &str) {
        let orders = self.shell.stdin.as_mut().expect("the pipe is closed only by the drop");
        writeln!(orders, "{order}").expect("the keeper reads");
    }

    async fn until(&self, up: bool) {
        let mut answer = Ok(String::new());
        let is_as_told = async || {
            answer = self.sql("postgres", "select 1").await;
            answer.is_ok() == up
        };
        if !until(STARTING, is_as_told).await {
            let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            panic!("PostgreSQL is not as told: {answer:?}\n{log}");
        }
    }

    pub async fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::SeqCst) + 1);
        self.sql("postgres", &format!("create database {name}")).await.unwrap_or_else(|said| panic!("{said}"));
        self.url(&name)
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The URL of this database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL through `psql` and answers with its rows, one per line, columns divided by `|`; or with what it complains of.
    pub async fn sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = tokio::process::Command::new(&self.psql)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"])
            .args(["--dbname", &self.url(database), "--command", sql])
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.psql.display()));
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
    }

    fn spawn() -> Self {
        let directory = tempfile::Builder::new().prefix("gazer-pg-").tempdir().expect("the temp directory is writable");
        // From here on the shell removes it.
        let directory = directory.keep();
        let servant = Servant::of(&directory);
        let data = directory.join("data");

        let mut initdb = Command::new(program("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("--pgdata").arg(&data).current_dir(&directory).stdin(Stdio::null());
        let made = servant.run(&mut initdb).output().expect("initdb can be run");
        if !made.status.success() {
            fs::remove_dir_all(&directory).ok();
            panic!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }

        let port = port::free();
        let log = fs::File::create(directory.join("log")).expect("the cluster's directory is writable");
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "sh"]).arg(&directory).arg(program("postgres"));
        shell.arg("-D").arg(&data).arg("-k").arg(&directory).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        for setting in SETTINGS {
            shell.args(["-c", setting]);
        }
        // A group of its own, so that an interrupt at the terminal does not reach the shell before its clean-up.
        shell.current_dir(&directory).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let shell = servant.run(&mut shell).spawn().expect("a shell can be run");
        Self { directory, port, psql: program("psql"), databases: AtomicU32::new(0), shell }
    }
}

/// Whom PostgreSQL runs as.
enum Servant {
    Ourselves,
    User { uid: u32, gid: u32 },
}

impl Servant {
    /// The owner of a directory that we made is who we are; from root it passes to somebody lesser.
    fn of(directory: &Path) -> Self {
        let owner = fs::metadata(directory).expect("a directory just made can be looked at").uid();
        if owner != 0 {
            return Self::Ourselves;
        }
        let (uid, gid) = ["postgres", "nobody"].into_iter().find_map(user).expect("/etc/passwd has a user nobody");
        chown(directory, Some(uid), Some(gid)).expect("root gives its directories away");
        Self::User { uid, gid }
    }

    fn run<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match self {
            Self::Ourselves => command,
            Self::User { uid, gid } => command.uid(*uid).gid(*gid),
        }
    }
}

/// A user's ids in `/etc/passwd`.
fn user(name: &str) -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = passwd.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?.skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Debian keeps the server's programs off PATH; the newest version is taken.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.sort_by_key(|bin| {
        let version = bin.parent().and_then(Path::file_name).and_then(|version| version.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let found = versions.into_iter().map(|bin| bin.join(name)).find(|path| path.is_file());
    found.or_else(|| on_path(name)).unwrap_or_else(|| panic!("{name} is missing: {INSTALL}"))
}

/// A program on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|candidate| candidate.is_file())
}
