//! What the planner has to know: which monitors changed.
//!
//! Every change of a monitor takes the next number of one counter, and holds the counter until it commits. So numbers
//! become visible in their order, and whoever asks for what came after the last one it saw misses nothing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gazer_domain::monitor::Monitor;
use gazer_domain::time::millis;
use gazer_domain::{MonitorId, Region, TeamId};

use crate::sql::{Row, args};
use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub monitor: Monitor,
    pub team: TeamId,
    /// Paused or deleted.
    pub removed: bool,
    /// Where it is checked from, the oldest first.
    pub regions: Vec<Region>,
    /// The number of its last change.
    pub seq: i64,
}

impl Store {
    /// Monitors changed after `seq`, and the number to ask with next; 0 asks for everything that is not paused.
    pub async fn planned_since(&self, seq: i64) -> Result<(i64, Vec<Planned>)> {
        let sql = "select m.id, m.name, m.settings, m.secret, m.interval_ms, m.recover_after, m.revision, m.created,
                m.cadence_since, m.align_ms, m.paused, m.regions, m.quorum, m.deleted_at, m.seq, t.id as team
            from monitors m join teams t on t.key = m.team
            where m.seq > $1 and ($1 > 0 or (m.paused = 0 and m.deleted_at is null))
            order by m.seq";
        let rows = self.rows(sql, args![seq]).await?;
        let last = rows.last().map(|row| row.int("seq")).transpose()?;
        let mut regions = if rows.is_empty() { HashMap::new() } else { self.regions_since(seq).await? };
        let mut planned = |row: &Row| -> Result<Planned> {
            let monitor = self.monitor(row)?;
            let removed = monitor.paused || row.opt_time("deleted_at")?.is_some();
            let regions = regions.remove(&monitor.id).unwrap_or_default();
            Ok(Planned { monitor, team: row.id("team")?, removed, regions, seq: row.int("seq")? })
        };
        // One that cannot be read must not keep all the others from being checked.
        let mut readable = |row: &Row| {
            planned(row)
                .inspect_err(|err| tracing::error!(error = err as &dyn std::error::Error, "a monitor cannot be read"))
        };
        Ok((last.unwrap_or(seq), rows.iter().filter_map(|row| readable(row).ok()).collect()))
    }

    /// Monitors whose last check took so long, in one region or another.
    pub async fn slow_monitors(&self, took: Duration) -> Result<HashSet<MonitorId>> {
        let sql = "select m.id from health h join monitors m on m.key = h.monitor
            where h.took >= $1 and m.paused = 0 and m.deleted_at is null";
        self.rows(sql, args![millis(took)]).await?.iter().map(|row| row.id("id")).collect()
    }

    /// Where the monitors changed after `seq` are checked from. What changes between the two questions has a number of
    /// its own, and is asked for again.
    async fn regions_since(&self, seq: i64) -> Result<HashMap<MonitorId, Vec<Region>>> {
        let sql = "select m.id, r.name as region
            from monitors m join health h on h.monitor = m.key join regions r on r.key = h.region
            where m.seq > $1 and m.paused = 0 and m.deleted_at is null
            order by h.region";
        let mut regions: HashMap<_, Vec<_>> = HashMap::new();
        for row in &self.rows(sql, args![seq]).await? {
            let region = row.word("region", |name| name.parse().ok())?;
            regions.entry(row.id("id")?).or_default().push(region);
        }
        Ok(regions)
    }
}
