//! Alert rules that tell only if trouble lasts.
//!
//! A wait is a row of the transaction that began the trouble, and vanishes with its end. It fires once a check that
//! ended after its instant found that the trouble lasts: old news tells nobody. Where the next slot is far away, a check
//! is asked for. While we are blind nothing fires, and what waits is put off by as long as we were blind.

use std::time::Duration;

use gazer_domain::{Timestamp, period::Status, verdict::Verdict};

use crate::sql::args;
use crate::{Result, Store, Tx, status};

const AT_ONCE: u32 = 500;
/// A slot that is due this soon is waited for; for one that is further away a check is asked for.
const SOON: Duration = Duration::from_secs(5);

/// A check that was asked for is lost if it said nothing by then.
const ANSWERED: Duration = Duration::from_secs(60);

impl Store {
    /// Fires what is due and lasts. How many deliveries it made.
    pub async fn waits_fire(&self, now: Timestamp) -> Result<u64> {
        let [slow, down] = [Verdict::Slow, Verdict::Down].map(status::verdict_number);
        let regional = status::number(Status::Regional);
        let due = self.rows(include_str!("waits/due.sql"), args![now, slow, down, AT_ONCE, regional]).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let monitors = due.iter().map(|row| row.id("monitor")).collect::<Result<Vec<_>>>()?;
        let mut tx = self.begin().await?;
        let mut made = 0;
        let mut watches: Vec<_> = tx.watches_lock(&monitors).await?.into_values().collect();
        watches.sort_unstable_by_key(|watch| watch.key);
        for watch in &watches {
            made += tx.waits_fire(watch, now).await?;
        }
        tx.commit().await?;
        Ok(made)
    }

    /// Asks for a check of each monitor of which something is due that no check has confirmed yet; again only where no
    /// answer came. How many it asked for.
    pub async fn waits_ask(&self, now: Timestamp) -> Result<u64> {
        let sql = include_str!("waits/unconfirmed.sql");
        let up = status::verdict_number(Verdict::Up);
        let args = args![now, now + SOON, AT_ONCE, now - ANSWERED, up];
        let unconfirmed = self.rows(sql, args).await?;
        if unconfirmed.is_empty() {
            return Ok(0);
        }
        let mut conn = self.write().await?;
        for row in &unconfirmed {
            let monitor = row.int("monitor")?;
            let sql = "insert into requests (team, monitor, created) select team, key, $2 from monitors where key = $1";
            conn.run(sql, args![monitor, now]).await?;
            let sql = "update waits set asked_at = $2 where due_at <= $2
                and incident = (select m.incident from monitors m where m.key = $1)";
            conn.run(sql, args![monitor, now]).await?;
        }
        conn.commit().await?;
        Ok(unconfirmed.len() as u64)
    }
}

impl Tx {
    /// From then on we see nothing of whether it lasts.
    pub(crate) async fn waits_hold(&mut self, incident: i64, at: Timestamp) -> Result<()> {
        let sql = "update waits set blind_since = $2 where incident = $1 and blind_since is null";
        self.conn().run(sql, args![incident, at]).await.map(drop)
    }

    /// Now we see it again: the time in between does not count.
    pub(crate) async fn waits_go_on(&mut self, incident: i64, at: Timestamp) -> Result<()> {
        let sql = "update waits set asked_at = 0, blind_since = null,
                due_at = due_at + case when blind_since < $2 then $2 - blind_since else 0 end
            where incident = $1 and blind_since is not null";
        self.conn().run(sql, args![incident, at]).await.map(drop)
    }
}
