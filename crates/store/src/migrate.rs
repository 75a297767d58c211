//! Brings a database to the present version: forward only, one transaction per step.
//!
//! Several processes may start at once: a step is taken under SQLite's write lock or PostgreSQL's advisory lock, and
//! whoever comes second finds it done.

use std::cmp::Ordering;

use crate::sql::{Conn, args};
use crate::store::Engine;
use crate::{Error, Result};

/// Each file is one version, and never changes once released.
const STEPS: [&str; 7] = [
    include_str!("../migrations/0001_begin.sql"),
    include_str!("../migrations/0002_promises.sql"),
    include_str!("../migrations/0003_leases.sql"),
    include_str!("../migrations/0004_sight.sql"),
    include_str!("../migrations/0005_dead.sql"),
    include_str!("../migrations/0006_regions.sql"),
    include_str!("../migrations/0007_votes.sql"),
];

/// Any number will do, as long as it stays.
const ADVISORY_LOCK: &str = "select pg_advisory_xact_lock(7406283649501)";

pub(crate) async fn run(engine: &Engine) -> Result<()> {
    let mut conn = locked(engine).await?;
    conn.run("create table if not exists migrations (version bigint not null primary key)", args![]).await?;
    conn.commit().await?;
    let known = known();
    loop {
        let mut conn = locked(engine).await?;
        let found = version(&mut conn).await?;
        if found > known {
            return Err(Error::FromTheFuture { found, known });
        }
        let Some(step) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) else { return Ok(()) };
        let version = found + 1;
        conn.script(step).await.map_err(|source| Error::Migrate { version, source })?;
        conn.run("insert into migrations (version) values ($1)", args![version]).await?;
        conn.commit().await?;
        tracing::info!(version, "the database is at a new version");
    }
}

/// Changes nothing: a server of another version may be running on this database.
pub(crate) async fn check(engine: &Engine) -> Result<()> {
    let mut conn = engine.begin().await?;
    let table = conn.row(conn.dialect().table(), args!["migrations"]).await?;
    let found = if table.is_some() { version(&mut conn).await? } else { 0 };
    match found.cmp(&known()) {
        Ordering::Less => Err(Error::Behind { found, known: known() }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(Error::FromTheFuture { found, known: known() }),
    }
}

fn known() -> i64 {
    i64::try_from(STEPS.len()).expect("a handful")
}

async fn version(conn: &mut Conn) -> Result<i64> {
    let row = conn.row("select coalesce(max(version), 0) as version from migrations", args![]).await?;
    row.map_or(Ok(0), |row| row.int("version"))
}

async fn locked(engine: &Engine) -> Result<Conn> {
    let mut conn = engine.begin().await?;
    if let Conn::Postgres(_) = conn {
        conn.rows(ADVISORY_LOCK, args![]).await?;
    }
    Ok(conn)
}
