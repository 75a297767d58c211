//! Brings a database to the present version: forward only, one transaction per step.
//!
//! Several processes may start at once: a step is taken under SQLite's write lock or PostgreSQL's advisory lock, and
//! whoever comes second finds it done.

use std::cmp::Ordering;

use crate::sql::{Conn, args};
use crate::store::Engine;
use crate::{Error, Result};

/// Each file is one version, and never changes once released.
const STEPS: [&str; 13] = [
    include_str!("../migrations/0001_begin.sql"),
    include_str!("../migrations/0002_promises.sql"),
    include_str!("../migrations/0003_leases.sql"),
    include_str!("../migrations/0004_sight.sql"),
    include_str!("../migrations/0005_dead.sql"),
    include_str!("../migrations/0006_regions.sql"),
    include_str!("../migrations/0007_votes.sql"),
    include_str!("../migrations/0008_relay.sql"),
    include_str!("../migrations/0009_issues.sql"),
    include_str!("../migrations/0010_early.sql"),
    include_str!("../migrations/0011_blind.sql"),
    include_str!("../migrations/0012_align.sql"),
    include_str!("../migrations/0013_began.sql"),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gazer_domain::{IncidentId, MonitorId, Region, TeamId, Timestamp};

    use super::*;
    use crate::{Location, Options, SealingKey, Store};

    /// What the release before had: a monitor that is down, its check and its evidence.
    const BEFORE: &str = "
        insert into teams (id, name, created) values ('{team}', 'Ours', 1);
        insert into monitors (id, team, revision, paused, recover_after, interval_ms, cadence_since, created, seq, status,
            status_since, name, sort, search, kind, target, settings)
        values ('{monitor}', 1, 1, 0, 1, 60000, 1000, 1000, 1, 2, 61000, 'Shop', 'shop', 'shop', 'http',
            'http://192.0.2.1/', '{\"http\":{\"url\":\"http://192.0.2.1/\",\"method\":\"GET\",\"headers\":[],\"body\":null,\"redirects\":0,\"verify_tls\":true,\"timeout_ms\":10000,\"assertions\":[]},\"verify_attempts\":2,\"verify_gap_ms\":1000}');
        insert into cadences (monitor, since, interval_ms, phase_ms) values (1, 1000, 60000, 1000);
        insert into health (track, patience, status, slot, covered, failing, good) values (1, 97000, 2, 61000, 61500, 1, 0);
        insert into checks (slot, track, late, took, verdict) values (1000, 1, 3, 25, 0), (61000, 1, 3, 25, 2);
        insert into incidents (id, team, monitor, trouble, started, cause_code, cause_text, events)
        values ('{incident}', 1, 1, 'down', 61000, 'connection_refused', 'refused', 1);
        update monitors set incident = 1;
        insert into evidence (incident, slot, attempts) values (1, 61000, '[]');
    ";

    async fn a_database_of_before_goes_on_as_one_region(location: Location) {
        let engine = Engine::open(&location).await.unwrap();
        let mut conn = engine.begin().await.unwrap();
        conn.run("create table migrations (version bigint not null primary key)", args![]).await.unwrap();
        for (n, step) in STEPS[..5].iter().enumerate() {
            conn.script(step).await.unwrap();
            conn.run("insert into migrations (version) values ($1)", args![n as i64 + 1]).await.unwrap();
        }
        let (team, monitor, incident) = (TeamId::from_bits(17), MonitorId::from_bits(5), IncidentId::from_bits(7));
        let before = BEFORE.replace("{team}", &team.to_string()).replace("{monitor}", &monitor.to_string());
        conn.script(&before.replace("{incident}", &incident.to_string())).await.unwrap();
        conn.commit().await.unwrap();
        drop(engine);

        let key = SealingKey::from_bytes([7; 32]);
        let store =
            Store::open(Options { location, key, public_url: String::new(), align: Duration::ZERO }).await.unwrap();
        let places = store.regions().await.unwrap();
        assert_eq!(places.iter().map(|place| &place.region).collect::<Vec<_>>(), [&Region::local()]);
        let mut tx = store.begin().await.unwrap();
        let watch = tx.watches_lock(&[monitor]).await.unwrap().remove(&monitor).unwrap();
        assert_eq!((watch.tracks.len(), watch.tracks[0].key), (1, watch.key));
        assert_eq!(watch.standing.regions[0].since, Timestamp::from_millis(61_000));
        drop(tx);
        let later = Timestamp::from_millis(100_000);
        let checks = store.checks(team, monitor, None, Timestamp::EPOCH, later).await.unwrap();
        assert_eq!(checks.len(), 2, "history is found where it was");
        assert_eq!(store.monitor_get(team, monitor).await.unwrap().unwrap().incident, Some(incident));
        let story = store.incident_get(team, incident).await.unwrap().unwrap();
        assert_eq!(story.evidence.iter().map(|proof| &proof.region).collect::<Vec<_>>(), [&Region::local()]);

        store.region_add(&Region::local(), later).await.unwrap();
        store.region_add(&"fra".parse().unwrap(), later).await.unwrap();
        let regions = store.monitor_get(team, monitor).await.unwrap().unwrap().regions;
        assert_eq!(regions.iter().map(|health| health.region.as_str()).collect::<Vec<_>>(), ["local", "fra"]);
    }

    #[tokio::test]
    async fn sqlite_goes_on_as_one_region() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("gazer.db"), []).unwrap();
        a_database_of_before_goes_on_as_one_region(Location::Sqlite(directory.path().to_owned())).await;
    }

    #[tokio::test]
    async fn postgres_goes_on_as_one_region() {
        let address = gazer_testkit::postgres::fresh_database().await;
        a_database_of_before_goes_on_as_one_region(Location::postgres(address)).await;
    }
}
