//! Opening and closing, and the doors through which every method reaches its database.
//!
//! SQLite: one file in WAL mode, one writer connection and a few that read. A process that serves locks the data
//! directory, so two of them never claim each other's leases; a command beside it opens without that lock, and SQLite
//! orders their writes. PostgreSQL: one pool.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqlSafeStr, SqlitePool};

use crate::dialect::Dialect;
use crate::seal::Seal;
use crate::sql::{Conn, Row, Value, bound, failed, patiently, within};
use crate::{Error, Result, SealingKey, migrate};

/// How long a write waits for another process beside ours. Longer means that somebody holds the file for good.
const BUSY: Duration = Duration::from_secs(10);
/// Enough for pages and API; each has its own page cache, so more would cost memory.
const READERS: u32 = 3;
const POSTGRES_CONNECTIONS: u32 = 10;
/// A page that waits longer for a database that is away had better say so.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(5);
/// And one that waits longer for an answer of it: reads of ours take milliseconds.
const READ_PATIENCE: Duration = Duration::from_secs(5);

/// Where the data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A data directory; the database is `gazer.db` in it.
    Sqlite(PathBuf),
    /// SQLite without a file, gone with the store: for simulations.
    Memory,
    Postgres {
        /// `postgres://…`
        address: String,
        /// As many as are open at most.
        connections: u32,
    },
}

impl Location {
    /// The server at a `postgres://` address.
    pub fn postgres(address: String) -> Self {
        Self::Postgres { address, connections: POSTGRES_CONNECTIONS }
    }
}

#[derive(Debug, Clone)]
pub struct Options {
    pub location: Location,
    pub key: SealingKey,
    /// What links in notices begin with; it is frozen into each when its event is committed.
    pub public_url: String,
    /// The grid on which slots lie; none where they are spread.
    pub align: Duration,
}

/// A handle; clones share one database.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    seal: Seal,
    public_url: String,
    align: Duration,
    /// Held until the store is closed, or its last handle gone.
    lock: Option<File>,
}

#[derive(Debug)]
pub(crate) enum Engine {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

impl Store {
    /// Opens the database, and brings it to the present version; with another key than its own it stays closed. A data directory belongs to one such process.
    pub async fn open(options: Options) -> Result<Self> {
        let lock = match &options.location {
            Location::Sqlite(directory) => Some(lock(directory)?),
            Location::Memory | Location::Postgres { .. } => None,
        };
        if let Location::Sqlite(directory) = &options.location {
            private(&directory.join("gazer.db"))
                .map_err(|source| Error::Directory { path: directory.to_owned(), source })?;
        }
        let engine = Engine::open(&options.location).await?;
        migrate::run(&engine).await?;
        Self::with(engine, &options, lock).await
    }

    /// Opens a data directory that a running server may hold: for commands that read or write a row and leave. That
    /// server may be of another version, so the database is taken as it is, or not at all.
    pub async fn open_beside(options: Options) -> Result<Self> {
        let engine = Engine::open(&options.location).await?;
        migrate::check(&engine).await?;
        Self::with(engine, &options, None).await
    }

    async fn with(engine: Engine, options: &Options, lock: Option<File>) -> Result<Self> {
        let public_url = options.public_url.trim_end_matches('/').to_owned();
        let seal = Seal::new(&options.key);
        let store = Self { inner: Arc::new(Inner { engine, seal, public_url, align: options.align, lock }) };
        store.key_check().await?;
        Ok(store)
    }

    /// Waits for what runs, and closes every connection.
    pub async fn close(&self) {
        match &self.inner.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
        if let Some(Err(error)) = self.inner.lock.as_ref().map(File::unlock) {
            tracing::warn!(%error, "the data directory stays locked until this process ends");
        }
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.inner.seal
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// The grid on which slots lie; none where they are spread.
    pub fn align(&self) -> Duration {
        self.inner.align
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &self.inner.engine {
            Engine::Sqlite { .. } => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins to write. SQLite's writers queue here, in our pool, where waiting costs nothing.
    pub(crate) async fn write(&self) -> Result<Conn> {
        self.inner.engine.begin().await
    }

    /// Reads outside of any transaction.
    pub(crate) async fn rows(&self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into_sql_str();
        let rows = match &self.inner.engine {
            Engine::Sqlite { readers, .. } => {
                bound(sql.clone(), args).fetch_all(readers).await.map(|rows| Row::of_sqlite(&sql, rows))
            }
            Engine::Postgres(pool) => {
                let read = within(READ_PATIENCE, bound(sql.clone(), args).fetch_all(pool)).await;
                read.map(|rows| Row::of_postgres(&sql, rows))
            }
        };
        rows.map_err(|source| failed(&sql, source))
    }

    pub(crate) async fn row(&self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, args).await?.pop())
    }

    /// One statement that writes, in a transaction of its own.
    pub(crate) async fn run(&self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<u64> {
        let sql = sql.into_sql_str();
        let touched = match &self.inner.engine {
            Engine::Sqlite { writer, .. } => {
                bound(sql.clone(), args).execute(writer).await.map(|done| done.rows_affected())
            }
            Engine::Postgres(pool) => {
                patiently(bound(sql.clone(), args).execute(pool)).await.map(|done| done.rows_affected())
            }
        };
        touched.map_err(|source| failed(&sql, source))
    }
}

impl Engine {
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        match location {
            Location::Sqlite(directory) => Self::sqlite(directory).await,
            Location::Memory => Self::memory().await,
            Location::Postgres { address, connections } => Self::postgres(address, *connections).await,
        }
    }

    async fn sqlite(directory: &Path) -> Result<Self> {
        let path = directory.join("gazer.db");
        let open = |source| Error::Open { database: path.display().to_string(), source };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            // A server has made it by now; a command beside it must not leave an empty one.
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            // An event that was told must survive a loss of power, so every commit reaches the disk.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            // The log is written back every 4 MiB, and never stays larger on disk than twice that.
            .pragma("wal_autocheckpoint", "1000")
            .pragma("journal_size_limit", "8388608")
            .pragma("mmap_size", "0")
            .pragma("temp_store", "memory");
        // KiB: what the judge touches of 5,000 monitors fits into the writer's.
        let writing = options.clone().pragma("cache_size", "-6000");
        let reading = options.pragma("cache_size", "-2000").pragma("query_only", "on");
        let pool = || SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None).test_before_acquire(false);
        // SQLite ends a transaction by itself where the disk is full, of which the driver does not hear: such a
        // connection would refuse to begin another for ever, so it is left for a new one.
        let usable = pool().before_acquire(|conn, _| Box::pin(async { Ok(!conn.is_in_transaction()) }));
        let writer = usable.max_connections(1).connect_with(writing).await.map_err(open)?;
        let readers = pool().min_connections(0).max_connections(READERS).connect_lazy_with(reading);
        Ok(Self::Sqlite { writer, readers })
    }

    /// One connection is the database, so it reads and writes.
    async fn memory() -> Result<Self> {
        let open = |source| Error::Open { database: "in memory".into(), source };
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None).test_before_acquire(false);
        let writer = pool.max_connections(1).connect_with(options).await.map_err(open)?;
        Ok(Self::Sqlite { readers: writer.clone(), writer })
    }

    async fn postgres(address: &str, connections: u32) -> Result<Self> {
        // The address may hold a password, so errors name the host only.
        let options: PgConnectOptions = address
            .parse()
            .map_err(|source| Error::Open { database: "that the postgres:// address names".into(), source })?;
        let database = format!("{} on {}", options.get_database().unwrap_or("postgres"), options.get_host());
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(POSTGRES_PATIENCE);
        let pool = pool.connect_with(options).await;
        pool.map(Self::Postgres).map_err(|source| Error::Open { database, source })
    }

    pub(crate) async fn begin(&self) -> Result<Conn> {
        let begun = match self {
            Self::Sqlite { writer, .. } => writer.begin_with("begin immediate").await.map(Conn::Sqlite),
            Self::Postgres(pool) => patiently(pool.begin()).await.map(Conn::Postgres),
        };
        begun.map_err(Error::Transaction)
    }
}

/// Makes the database file, if there is none, for its owner only: SQLite's log beside it takes after it.
fn private(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The lock goes with the process, however it ends.
fn lock(directory: &Path) -> Result<File> {
    let failed = |source| Error::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let path = directory.join("gazer.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
