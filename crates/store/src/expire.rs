//! Retention: what is old goes, in batches, so that no lock is held for long.
//!
//! Running it twice, or dying in the middle, is harmless: each batch is a transaction of its own.

use std::time::Duration;

use gazer_domain::Timestamp;

use sqlx::AssertSqlSafe;

use crate::sql::args;
use crate::{Result, Store};

/// Nobody waits that long for "check now".
const REQUESTS: Duration = Duration::from_secs(3_600);
/// Deliveries that belong to no incident.
const TESTS: Duration = Duration::from_secs(7 * 86_400);
/// Periods and closed incidents: a report looks back over a year, and a little further to compare.
const STORIES: Duration = Duration::from_secs(400 * 86_400);
/// Issues that were resolved, and what the operator was told of any.
const MENDED: Duration = Duration::from_secs(90 * 86_400);
/// Purging takes the write lock; this many at once keep it for milliseconds.
const PURGED_AT_ONCE: u32 = 20;

/// Rows removed by one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    pub checks: u64,
    pub sessions: u64,
    pub requests: u64,
    pub deliveries: u64,
    pub incidents: u64,
    pub periods: u64,
    pub episodes: u64,
    pub monitors: u64,
    pub issues: u64,
}

impl Store {
    /// Removes what is older than its retention, at most `limit` rows of each kind; `retention` is that of checks.
    pub async fn expire(&self, now: Timestamp, retention: Duration, limit: u32) -> Result<Expired> {
        let mut expired = Expired { checks: self.checks_expire(now - retention, limit).await?, ..Expired::default() };
        let limited = |table: &str, key: &str, old: &str| {
            AssertSqlSafe(format!(
                "delete from {table} where {key} in (select {key} from {table} where {old} limit $2)"
            ))
        };
        let sql = limited("sessions", "hash", "expires <= $1");
        expired.sessions = self.run(sql, args![now, limit]).await?;
        let sql = limited("requests", "key", "created <= $1");
        expired.requests = self.run(sql, args![now - REQUESTS, limit]).await?;
        let sql = limited("deliveries", "key", "incident is null and settled_at is not null and created <= $1");
        expired.deliveries = self.run(sql, args![now - TESTS, limit]).await?;
        let sql = "delete from periods where ended <= $1 and monitor in (
                select monitor from periods where ended <= $1 limit $2
            )";
        expired.periods = self.run(sql, args![now - STORIES, limit]).await?;
        expired.episodes = self.run("delete from episodes where ended <= $1", args![now - STORIES]).await?;
        expired.incidents = self.incidents_expire(now - STORIES, limit).await?;
        expired.monitors = self.monitors_purge().await?;
        expired.issues = self.issues_expire(now, limit).await?;
        Ok(expired)
    }

    /// Checks lie in the order of time, so the oldest are one stretch of the table. Those of one instant go together.
    async fn checks_expire(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "select slot from checks where slot < $1 order by slot limit 1 offset $2";
        let row = self.row(sql, args![before, limit.saturating_sub(1)]).await?;
        let last = row.map_or(Ok(before - Duration::from_millis(1)), |row| row.time("slot"))?;
        self.run("delete from checks where slot <= $1", args![last]).await
    }

    async fn incidents_expire(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "select i.key from incidents i where i.ended <= $1
            and not exists (select 1 from deliveries d where d.incident = i.key and d.settled_at is null)
            limit $2";
        let old = self.rows(sql, args![before, limit]).await?;
        for row in &old {
            self.incident_purge(row.int("key")?).await?;
        }
        Ok(old.len() as u64)
    }

    /// Deleted monitors, once everything about them is told. Their checks go when they are old enough.
    async fn monitors_purge(&self) -> Result<u64> {
        let sql = "select m.key from monitors m where m.deleted_at is not null
            and not exists (
                select 1 from incidents i join deliveries d on d.incident = i.key
                where i.monitor = m.key and d.settled_at is null
            )
            limit $1";
        let gone = self.rows(sql, args![PURGED_AT_ONCE]).await?;
        for row in &gone {
            let key = row.int("key")?;
            for row in self.rows("select key from incidents where monitor = $1", args![key]).await? {
                self.incident_purge(row.int("key")?).await?;
            }
            let mut conn = self.write().await?;
            for sql in [
                "delete from requests where monitor = $1",
                "delete from periods where monitor = $1",
                "delete from cadences where monitor = $1",
                "delete from onsets where track in (select track from health where monitor = $1)",
                "delete from health where monitor = $1",
                "delete from monitors where key = $1",
            ] {
                conn.run(sql, args![key]).await?;
            }
            conn.commit().await?;
        }
        Ok(gone.len() as u64)
    }

    /// What is open or ignored stays so, unless nothing was seen of it for as long as stories are kept.
    async fn issues_expire(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let sql = "delete from issue_news where created <= $1";
        self.run(sql, args![now - MENDED]).await?;
        let sql = "select key from issues where resolved_at <= $1 or last_seen <= $2 limit $3";
        let old = self.rows(sql, args![now - MENDED, now - STORIES, limit]).await?;
        for row in &old {
            let mut conn = self.write().await?;
            for sql in [
                "delete from issue_news where issue = $1",
                "delete from issue_occurrences where issue = $1",
                "delete from issues where key = $1",
            ] {
                conn.run(sql, args![row.int("key")?]).await?;
            }
            conn.commit().await?;
        }
        Ok(old.len() as u64)
    }

    /// One incident with all that hangs on it, in a transaction of its own.
    async fn incident_purge(&self, key: i64) -> Result<()> {
        let mut conn = self.write().await?;
        for sql in [
            "delete from deliveries where incident = $1",
            "delete from waits where incident = $1",
            "delete from evidence where incident = $1",
            "delete from events where incident = $1",
            "delete from incidents where key = $1",
        ] {
            conn.run(sql, args![key]).await?;
        }
        conn.commit().await
    }
}
