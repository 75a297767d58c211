//! What the operator of the installation counts, over all teams: numbers only, so nothing of a tenant shows.
//!
//! A scrape asks every few seconds, so each question is answered from few rows or from an index: monitors are as many as
//! are watched, unsettled deliveries have an index of their own, and dead ones are looked for among the incidents of
//! [`RECENT`], which lie together because ids sort by birth.

use std::time::Duration;

use gazer_domain::delivery::State;
use gazer_domain::period::Status;
use gazer_domain::{IncidentId, Timestamp};

use crate::sql::args;
use crate::{Result, Store, Totals, status};

/// Dead deliveries of older incidents are not counted: a delivery is tried for two and a half days, so one that dies is
/// seen for four more, which is long enough for an alarm and short enough for it to end.
const RECENT: Duration = Duration::from_secs(7 * 86_400);

/// Counts over all teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Installation {
    pub monitors: Totals,
    pub open_incidents: u64,
    pub deliveries_waiting: u64,
    pub deliveries_leased: u64,
    /// Of incidents that began in the last seven days.
    pub deliveries_dead: u64,
}

impl Store {
    /// How many channels of a kind there are, to say at the start that they lack what they need.
    pub async fn channels_of_kind(&self, kind: &str) -> Result<u64> {
        let sql = "select count(*) as channels from channels where kind = $1 and deleted_at is null";
        self.row(sql, args![kind]).await?.map_or(Ok(0), |row| row.number("channels"))
    }

    pub async fn installation(&self, now: Timestamp) -> Result<Installation> {
        let mut counts = Installation::default();
        let sql = "select status, count(*) as monitors, count(incident) as troubled from monitors
            where deleted_at is null group by status";
        for row in self.rows(sql, args![]).await? {
            let monitors = row.number("monitors")?;
            counts.open_incidents += row.number::<u64>("troubled")?;
            match status::read(&row, "status")? {
                Status::Up => counts.monitors.up = monitors,
                Status::Slow => counts.monitors.slow = monitors,
                Status::Regional => counts.monitors.regional = monitors,
                Status::Down => counts.monitors.down = monitors,
                Status::Unknown => counts.monitors.unknown = monitors,
                Status::Paused => counts.monitors.paused = monitors,
            }
        }
        let sql = "select state, count(*) as deliveries from deliveries where settled_at is null group by state";
        for row in self.rows(sql, args![]).await? {
            let deliveries = row.number("deliveries")?;
            match row.word("state", State::parse)? {
                State::Waiting => counts.deliveries_waiting = deliveries,
                State::Leased => counts.deliveries_leased = deliveries,
                State::Delivered | State::Dead | State::Merged => {}
            }
        }
        let sql = "select count(*) as dead from incidents i join deliveries d on d.incident = i.key
            where i.id >= $1 and d.state = $2";
        let oldest = IncidentId::new(now - RECENT, [0; 10]);
        if let Some(row) = self.row(sql, args![oldest, State::Dead.as_str()]).await? {
            counts.deliveries_dead = row.number("dead")?;
        }
        Ok(counts)
    }
}
