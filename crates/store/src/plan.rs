//! What the planner has to know: which monitors changed.
//!
//! Every change of a monitor takes the next number of one counter, and holds the counter until it commits. So numbers
//! become visible in their order, and whoever asks for what came after the last one it saw misses nothing.

use gazer_domain::TeamId;
use gazer_domain::monitor::Monitor;

use crate::sql::{Row, args};
use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub monitor: Monitor,
    pub team: TeamId,
    /// Paused or deleted.
    pub removed: bool,
}

impl Store {
    /// Monitors changed after `seq`, and the number to ask with next; 0 asks for everything that is not paused.
    pub async fn planned_since(&self, seq: i64) -> Result<(i64, Vec<Planned>)> {
        let sql = "select m.id, m.name, m.settings, m.secret, m.interval_ms, m.recover_after, m.revision, m.created,
                m.cadence_since, m.paused, m.deleted_at, m.seq, t.id as team
            from monitors m join teams t on t.key = m.team
            where m.seq > $1 and ($1 > 0 or (m.paused = 0 and m.deleted_at is null))
            order by m.seq";
        let rows = self.rows(sql, args![seq]).await?;
        let last = rows.last().map(|row| row.int("seq")).transpose()?;
        let planned = |row: &Row| -> Result<Planned> {
            let monitor = self.monitor(row)?;
            let removed = monitor.paused || row.opt_time("deleted_at")?.is_some();
            Ok(Planned { monitor, team: row.id("team")?, removed })
        };
        // One that cannot be read must not keep all the others from being checked.
        let readable = |row: &Row| {
            planned(row)
                .inspect_err(|err| tracing::error!(error = err as &dyn std::error::Error, "a monitor cannot be read"))
        };
        Ok((last.unwrap_or(seq), rows.iter().filter_map(|row| readable(row).ok()).collect()))
    }
}
