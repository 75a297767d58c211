//! What becomes of written instants when the clock turns out to have been ahead.
//!
//! A machine whose clock was an hour ahead has folded slots, promised retries and leased deliveries in what is now the
//! future. Nobody may wait for that future: slots and cadences are taken up again from the present on, and what is due
//! keeps its distance to the present. Periods and incidents stay as they were written; the next change begins where they end.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::time::millis;

use crate::sql::args;
use crate::{Result, Store};

impl Store {
    /// How far the last folded slot lies ahead of `now`; nothing if it does not.
    pub async fn ahead_of(&self, now: Timestamp) -> Result<Duration> {
        let row = self.row("select max(slot) as slot from health", args![]).await?;
        let last = row.map_or(Ok(None), |row| row.opt_time("slot"))?;
        Ok(last.map_or(Duration::ZERO, |last| last.since(now)))
    }

    /// The clock says `now`, and was ahead of that by `by`.
    pub async fn set_back(&self, now: Timestamp, by: Duration) -> Result<()> {
        let mut conn = self.write().await?;
        let sql = "update health set slot = case when slot < $1 then slot else $1 - 1 end,
                covered = case when covered < $1 then covered else $1 end,
                seen = case when seen >= $1 then $1 - 1 else seen end,
                since = case when since < $1 then since when since > slot then $1 else $1 - 1 end,
                began = case when began < $1 then began when since > slot then $1 else $1 - 1 end
            where slot >= $1 or covered > $1";
        conn.run(sql, args![now]).await?;
        for sql in [
            // Of several that began in that future the last holds; the others never were.
            "delete from cadences where since >= $1 and exists (
                select 1 from cadences l where l.monitor = cadences.monitor and l.since > cadences.since
            )",
            "update monitors set cadence_since = $1 where cadence_since > $1",
            "update cadences set since = $1 where since > $1",
            "update cadences set until = $1 where until > $1",
            "update issues set told_at = $1 where told_at > $1",
            "update issues set resolved_at = $1 where resolved_at > $1",
        ] {
            conn.run(sql, args![now]).await?;
        }
        for sql in [
            "update deliveries set due_at = due_at - $1, planned_at = planned_at - $1, soonest_at = soonest_at - $1
            where settled_at is null",
            "update issue_news set due_at = due_at - $1 where settled_at is null",
            "update waits set due_at = due_at - $1, blind_since = blind_since - $1, asked_at = 0",
        ] {
            conn.run(sql, args![millis(by)]).await?;
        }
        conn.commit().await
    }
}
