//! What checks found, and which were made at all.
//!
//! Checks lie in the order of time, all monitors mixed, because they are written so; there is no index by monitor, which
//! would dirty a page per check. A monitor's history is read by enumerating the instants at which it was due, from its
//! `cadences`, and looking each of them up by the key. A check made out of turn ("check now") is no part of history.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::cause::Code;
use gazer_domain::id::{Id, Kind};
use gazer_domain::observation::Phases;
use gazer_domain::period::{Period, Status};
use gazer_domain::time::millis;
use gazer_domain::verdict::Verdict;
use gazer_domain::{MonitorId, Region, TeamId, Timestamp};

use crate::sql::{Row, args};
use crate::{Result, Store, status, wire};

/// `phases` are kept to a tenth of a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckRow {
    pub slot: Timestamp,
    /// How long after its slot it started.
    pub lateness: Duration,
    pub took: Duration,
    pub verdict: Verdict,
    pub code: Option<Code>,
    pub phases: Phases,
}

/// Whether the guarantee was kept over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    pub checks: u64,
    /// Started so late that what was promised was not kept.
    pub late: u64,
    /// Slots that no check covers.
    pub missed: u64,
}

impl Store {
    /// In order of their slots, in `[from, until)`, as one region saw them: the monitor's first, where none is named.
    /// Empty for a monitor that the team does not have, and for a region that it is not checked from.
    pub async fn checks(
        &self,
        team: TeamId,
        monitor: MonitorId,
        region: Option<&Region>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<CheckRow>> {
        let sql = concat!(include_str!("history/slots.sql"), include_str!("history/checks.sql"));
        let region = region.map(|region| region.as_str().to_owned());
        let rows = self.rows(sql, args![team, monitor, from, until, region]).await?;
        rows.iter().map(check).collect()
    }

    /// What its first region knows of each monitor's last `count` slots, oldest first.
    pub async fn sparklines(
        &self,
        team: TeamId,
        monitors: &[MonitorId],
        now: Timestamp,
        count: u32,
    ) -> Result<HashMap<MonitorId, Vec<CheckRow>>> {
        let rows = self
            .rows(
                self.dialect().spell(include_str!("history/sparklines.sql")),
                args![listed(monitors), team, now, count],
            )
            .await?;
        let mut lines: HashMap<_, Vec<_>> = HashMap::new();
        for row in &rows {
            lines.entry(row.id("id")?).or_default().push(check(row)?);
        }
        Ok(lines)
    }

    /// Periods that touch `[from, until)`, uncut, newest last.
    pub async fn periods(
        &self,
        team: TeamId,
        monitors: &[MonitorId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<HashMap<MonitorId, Vec<Period>>> {
        let sql = "select m.id, p.started, p.ended, p.status from monitors m join periods p on p.monitor = m.key
            where m.id {in list} and m.team = (select key from teams where id = $2) and m.deleted_at is null
            and p.started < $4 and (p.ended is null or p.ended > $3)
            order by m.key, p.started";
        let rows = self.rows(self.dialect().spell(sql), args![listed(monitors), team, from, until]).await?;
        let mut periods: HashMap<_, Vec<_>> = HashMap::new();
        for row in &rows {
            let period = Period {
                status: status::read(row, "status")?,
                started: row.time("started")?,
                ended: row.opt_time("ended")?,
            };
            periods.entry(row.id("id")?).or_default().push(period);
        }
        Ok(periods)
    }

    /// Counts over all its regions; a check is late that began so long after its slot.
    pub async fn lateness(
        &self,
        team: TeamId,
        monitor: MonitorId,
        from: Timestamp,
        until: Timestamp,
        late: Duration,
    ) -> Result<Kept> {
        let sql = concat!(include_str!("history/slots.sql"), include_str!("history/lateness.sql"));
        let row =
            self.row(sql, args![team, monitor, from, until, millis(late), status::number(Status::Unknown)]).await?;
        let Some(row) = row else { return Ok(Kept::default()) };
        Ok(Kept { checks: row.number("checks")?, late: row.number("late")?, missed: row.number("missed")? })
    }
}

/// The check of a slot, as an array of small numbers would hold it.
fn check(row: &Row) -> Result<CheckRow> {
    let code = match row.opt_int("code")? {
        Some(number) => {
            let code = wire::code::of_number(number);
            Some(code.ok_or_else(|| row.corrupt("code", &format!("{number} is no cause code")))?)
        }
        None => None,
    };
    Ok(CheckRow {
        slot: row.time("slot")?,
        lateness: Duration::from_millis(row.number("late")?),
        took: Duration::from_millis(row.number("took")?),
        verdict: status::read_verdict(row, "verdict")?,
        code,
        phases: row.read("phases", wire::phases::unpack(&row.opt_blob("phases")?.unwrap_or_default()))?,
    })
}

/// Ids as the one JSON parameter that `{in list}` reads.
pub(crate) fn listed<K: Kind>(ids: &[Id<K>]) -> String {
    let mut json = String::with_capacity(ids.len() * 36 + 2);
    for id in ids {
        json.push(if json.is_empty() { '[' } else { ',' });
        json.push_str(&format!("\"{id}\""));
    }
    if json.is_empty() { "[]".into() } else { json + "]" }
}
