//! Stretches of time in which a monitor was due at the same instants, from which the past is enumerated.

use std::time::Duration;

use gazer_domain::cadence::Cadence;
use gazer_domain::time::millis;
use gazer_domain::{MonitorId, Timestamp};

use crate::sql::{Conn, args};
use crate::{Result, Store, regions};

impl Store {
    /// Puts the slots of every monitor on our grid, from `now` on. How many were on another. Whoever plans begins with
    /// it, and reads all monitors after it; so it is no change that would be heard of.
    pub async fn realign(&self, now: Timestamp) -> Result<u64> {
        let align = millis(self.align());
        let sql = "select 1 as one from monitors where align_ms <> $1 and deleted_at is null limit 1";
        if self.row(sql, args![align]).await?.is_none() {
            return Ok(0);
        }
        let mut conn = self.write().await?;
        regions::monitors_lock(&mut conn).await?;
        let sql = "select key, id, interval_ms, cadence_since, paused from monitors
            where align_ms <> $1 and deleted_at is null";
        let astray = conn.rows(sql, args![align]).await?;
        for row in &astray {
            let (key, monitor): (_, MonitorId) = (row.int("key")?, row.id("id")?);
            let interval = Duration::from_millis(row.number("interval_ms")?);
            let since = now.max(row.time("cadence_since")?);
            if !row.flag("paused")? {
                end(&mut conn, key, since).await?;
                begin(&mut conn, key, &Cadence::new(monitor, interval, since).aligned(self.align())).await?;
            }
            let sql = "update monitors set align_ms = $2, cadence_since = $3 where key = $1";
            conn.run(sql, args![key, align, since]).await?;
        }
        conn.commit().await?;
        Ok(astray.len() as u64)
    }
}

pub(crate) async fn begin(conn: &mut Conn, key: i64, cadence: &Cadence) -> Result<()> {
    let interval = millis(cadence.interval());
    let phase = cadence.at_or_after(cadence.since()).millis().rem_euclid(interval);
    let sql = "insert into cadences (monitor, since, interval_ms, phase_ms) values ($1, $2, $3, $4)
        on conflict (monitor, since)
        do update set until = null, interval_ms = excluded.interval_ms, phase_ms = excluded.phase_ms";
    conn.run(sql, args![key, cadence.since(), interval, phase]).await.map(drop)
}

pub(crate) async fn end(conn: &mut Conn, key: i64, now: Timestamp) -> Result<()> {
    let sql = "update cadences set until = $2 where monitor = $1 and until is null";
    conn.run(sql, args![key, now]).await.map(drop)
}
