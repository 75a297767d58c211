//! "Check now": a row that `plan` serves.
//!
//! All of the monitor's regions are asked, and the first to answer answers it; what the others saw shows in how the
//! monitor stands there.
//! It is handed out once. If the process dies before it answers, nobody asks again: whoever pressed the button sees
//! that no answer came, and the row is gone within the hour.

use std::time::Duration;

use gazer_domain::observation::Observation;
use gazer_domain::{MonitorId, Region, TeamId, Timestamp};

use crate::sql::args;
use crate::{Result, Store, Tx};

/// What the first of the monitor's regions to answer saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub region: Region,
    pub observation: Observation,
}

/// A request that got no answer for this long was lost with the process that served it. The longest check is shorter.
const UNANSWERED: Duration = Duration::from_secs(420);

impl Store {
    /// The request that waits for an answer already, or a new one, so that nobody's impatience makes a queue. `None` if the
    /// team has no such monitor.
    pub async fn request_add(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<i64>> {
        let sql = "select r.key from requests r join monitors m on m.key = r.monitor
            where m.team = (select key from teams where id = $1) and m.id = $2 and m.deleted_at is null
                and r.observation is null and r.created > $3
            order by r.key desc limit 1";
        if let Some(waiting) = self.row(sql, args![team, monitor, now - UNANSWERED]).await? {
            return waiting.int("key").map(Some);
        }
        let sql = "insert into requests (team, monitor, created)
            select m.team, m.key, $3 from monitors m
            where m.team = (select key from teams where id = $1) and m.id = $2 and m.deleted_at is null
            returning key";
        let mut conn = self.write().await?;
        let row = conn.row(sql, args![team, monitor, now]).await?;
        conn.commit().await?;
        row.map(|row| row.int("key")).transpose()
    }

    /// Each request is handed out once.
    pub async fn requests_claim(&self, now: Timestamp) -> Result<Vec<(i64, MonitorId)>> {
        let sql = "select r.key from requests r where r.claimed_at is null limit 1";
        if self.row(sql, args![]).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut conn = self.write().await?;
        let sql = "update requests set claimed_at = $1 where claimed_at is null
            returning key, (select m.id from monitors m where m.key = requests.monitor) as monitor";
        let rows = conn.rows(sql, args![now]).await?;
        conn.commit().await?;
        rows.iter().map(|row| Ok((row.int("key")?, row.id("monitor")?))).collect()
    }

    /// `None` if the team made no such request, `Some(None)` while it is not answered.
    pub async fn request_get(&self, team: TeamId, request: i64) -> Result<Option<Option<Answer>>> {
        let sql = "select r.key, r.observation, r.region from requests r
            where r.team = (select key from teams where id = $1) and r.key = $2";
        let Some(row) = self.row(sql, args![team, request]).await? else { return Ok(None) };
        let Some(text) = row.opt_text("observation")? else { return Ok(Some(None)) };
        let observation = row.read("observation", gazer_wire::observation::from_json(&text))?;
        let region = match row.opt_text("region")? {
            Some(_) => row.word("region", |name| name.parse().ok())?,
            None => Region::local(),
        };
        Ok(Some(Some(Answer { region, observation })))
    }
}

impl Tx {
    /// The first answer stays.
    pub async fn request_settle(&mut self, request: i64, region: &Region, seen: &Observation) -> Result<()> {
        // What a prober answers is about the monitor that it was asked for, or it is no answer.
        let sql = "update requests set observation = $2, region = $3 where key = $1 and observation is null
            and monitor = (select key from monitors where id = $4)";
        let args = args![request, gazer_wire::observation::to_json(seen), region.as_str(), seen.monitor];
        self.conn().run(sql, args).await.map(drop)
    }
}
