//! What must commit together: verdict, health, period, incident, events, deliveries.
//!
//! The judge locks the tracks of a batch, folds (which is the domain's), appends the checks, advances the healths, and
//! for each change of status calls [`Tx::turn`]. A crash before the commit leaves nothing; one after it leaves rows that
//! `deliver` finds. The same batch a second time folds to nothing and appends nothing.
//!
//! This is the hot path: a batch is three statements, however many checks it has, and their one parameter is a JSON
//! array of arrays. `checks` is narrow and only grows at its end; `health` is narrow and updated in place. A track's
//! key is its monitor's while there is one region.

mod tell;
mod turn;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gazer_domain::alert::Rule;
use gazer_domain::cadence::Cadence;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::health::{Health, Policy};
use gazer_domain::incident::Trouble;
use gazer_domain::observation::{Attempt, Observation};
use gazer_domain::time::millis;
use gazer_domain::{IncidentId, MonitorId, TeamId, Timestamp};

use crate::history::listed;
use crate::incidents::{cause, trouble};
use crate::sql::{Conn, Row, args};
use crate::{LastCheck, Result, Store, status, wire};

/// A long outage has thousands of failing checks, alike but for their time: its first and its last ones are kept.
const EVIDENCE_ENDS: u32 = 10;

/// A monitor under judgement, its row locked until the transaction ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    pub key: i64,
    pub team: TeamId,
    pub monitor: MonitorId,
    pub name: String,
    pub kind: String,
    pub target: String,
    pub revision: u32,
    pub health: Health,
    pub policy: Policy,
    /// How long after its slot a check may still be under way.
    pub grace: Duration,
    /// Until when a check that was judged has looked.
    pub seen: Option<Timestamp>,
    pub open: Option<OpenIncident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    pub key: i64,
    pub id: IncidentId,
    pub trouble: Trouble,
    pub started: Timestamp,
    pub cause: Cause,
    pub events: u32,
    /// When evidence was last kept, and of which cause.
    pub proved: Option<(Timestamp, Code)>,
}

/// The health that folding led to. `last` is `None` where nothing was checked: the audit's gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    pub track: i64,
    pub health: Health,
    pub last: Option<LastCheck>,
    /// `None` keeps what was known.
    pub certificate_until: Option<Timestamp>,
}

impl Advance {
    pub fn of(track: i64, health: Health) -> Self {
        Self { track, health, last: None, certificate_until: None }
    }
}

/// A transaction that may write. Dropping it undoes everything.
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    pub(crate) store: Store,
    /// What teams' rules say, read once however many of their monitors turn.
    rules: HashMap<TeamId, Arc<[Rule]>>,
}

impl Store {
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { conn: self.write().await?, store: self.clone(), rules: HashMap::new() })
    }

    /// Monitors whose next check is overdue by the longest check and a grace: for the audit.
    pub async fn tracks_overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<MonitorId>> {
        let sql = "select m.id from health h join monitors m on m.key = h.track
            where h.covered + h.patience < $1 and m.paused = 0 and m.deleted_at is null
            order by h.covered limit $2";
        let rows = self.rows(sql, args![now, limit]).await?;
        rows.iter().map(|row| row.id("id")).collect()
    }
}

impl Tx {
    /// Those that are neither paused nor deleted, locked in the order of their keys.
    pub async fn tracks_lock(&mut self, monitors: &[MonitorId]) -> Result<HashMap<MonitorId, Track>> {
        let list = listed(monitors);
        if let Some(lock) = self.conn.dialect().tracks_lock() {
            self.conn.rows(lock, args![list.clone()]).await?;
        }
        let sql = self.conn.dialect().spell(include_str!("judge/tracks.sql"));
        let rows = self.conn.rows(sql, args![list]).await?;
        let readable = |row| {
            read_track(row)
                .inspect_err(|err| tracing::error!(error = err as &dyn std::error::Error, "a monitor cannot be judged"))
        };
        // One that cannot be read must not keep all the others from being judged.
        Ok(rows.iter().filter_map(|row| readable(row).ok()).map(|track| (track.monitor, track)).collect())
    }

    /// Appends checks by their tracks' keys; one that is there already stays as it is.
    pub async fn checks_append(&mut self, checks: &[(i64, &Observation)]) -> Result<u64> {
        let mut list = String::with_capacity(checks.len() * 48 + 2);
        for (track, seen) in checks {
            let late = millis(seen.started.since(seen.slot)).min(i64::from(i32::MAX));
            let took = millis(seen.took).min(i64::from(i32::MAX));
            let verdict = status::verdict_number(seen.judgement.verdict);
            let code = seen.judgement.cause.as_ref().map(|cause| wire::code::number(cause.code));
            let phases = wire::phases::hex(&wire::phases::pack(&seen.phases));
            let (slot, code) = (seen.slot.millis(), Json(code));
            push(&mut list, format_args!("[{slot},{track},{late},{took},{verdict},{code},\"{phases}\"]"));
        }
        self.conn.run(self.conn.dialect().checks_append(), args![closed(list)]).await
    }

    pub async fn health_advance(&mut self, advances: &[Advance]) -> Result<()> {
        let mut list = String::with_capacity(advances.len() * 80 + 2);
        for Advance { track, health, last, certificate_until } in advances {
            let Health { status, slot, covered, failing, good } = health;
            let (status, failing) = (status::verdict_number(*status), i64::from(*failing));
            let (slot, covered) = (slot.millis(), covered.millis());
            let seen = Json(last.map(|last| last.slot.millis()));
            let took = Json(last.map(|last| millis(last.took)));
            let verdict = Json(last.map(|last| status::verdict_number(last.verdict)));
            let until = Json(certificate_until.map(Timestamp::millis));
            push(
                &mut list,
                format_args!("[{track},{status},{slot},{covered},{failing},{good},{seen},{took},{verdict},{until}]"),
            );
        }
        self.conn.run(self.conn.dialect().health_advance(), args![closed(list)]).await.map(drop)
    }

    /// Keeps the attempts with the open incident; without one there is nothing to prove.
    pub async fn evidence_add(
        &mut self,
        track: &mut Track,
        slot: Timestamp,
        code: Code,
        attempts: &[Attempt],
    ) -> Result<()> {
        let Some(open) = &mut track.open else { return Ok(()) };
        if attempts.is_empty() {
            return Ok(());
        }
        open.proved = Some((slot, code));
        let sql = "update incidents set proved_at = $2, proved_code = $3 where key = $1";
        self.conn.run(sql, args![open.key, slot, code.as_str()]).await?;
        let sql = "insert into evidence (incident, slot, attempts) values ($1, $2, $3)
            on conflict (incident, slot) do nothing";
        self.conn.run(sql, args![open.key, slot, gazer_wire::attempt::to_json(attempts)]).await?;
        let sql = "delete from evidence where incident = $1
            and slot not in (select slot from evidence where incident = $1 order by slot limit $2)
            and slot not in (select slot from evidence where incident = $1 order by slot desc limit $2)";
        self.conn.run(sql, args![open.key, EVIDENCE_ENDS]).await.map(drop)
    }

    pub async fn commit(self) -> Result<()> {
        self.conn.commit().await
    }

    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

fn read_track(row: &Row) -> Result<Track> {
    let monitor: MonitorId = row.id("monitor")?;
    let interval = Duration::from_millis(row.number("interval_ms")?);
    let open = match row.opt_int("incident_key")? {
        Some(key) => Some(OpenIncident {
            key,
            id: row.id("incident")?,
            trouble: row.word("trouble", trouble)?,
            started: row.time("started")?,
            cause: cause(row)?,
            events: row.number("events")?,
            proved: match row.opt_time("proved_at")? {
                Some(at) => Some((at, row.word("proved_code", Code::parse)?)),
                None => None,
            },
        }),
        None => None,
    };
    Ok(Track {
        key: row.int("key")?,
        team: row.id("team")?,
        monitor,
        name: row.text("name")?,
        kind: row.text("kind")?,
        target: row.text("target")?,
        revision: row.number("revision")?,
        health: Health {
            status: status::read_verdict(row, "status")?,
            slot: row.time("slot")?,
            covered: row.time("covered")?,
            failing: row.flag("failing")?,
            good: row.number("good")?,
        },
        policy: Policy {
            cadence: Cadence::new(monitor, interval, row.time("cadence_since")?),
            recover_after: row.number("recover_after")?,
        },
        grace: Duration::from_millis(row.number("patience")?).saturating_sub(interval),
        seen: match row.opt_time("seen")? {
            Some(slot) => Some(slot + Duration::from_millis(row.number("took")?)),
            None => None,
        },
        open,
    })
}

fn push(list: &mut String, row: fmt::Arguments<'_>) {
    list.push(if list.is_empty() { '[' } else { ',' });
    fmt::write(list, row).expect("writing to a String cannot fail");
}

fn closed(list: String) -> String {
    if list.is_empty() { "[]".into() } else { list + "]" }
}

/// A number or `null`.
struct Json(Option<i64>);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("null"),
        }
    }
}
