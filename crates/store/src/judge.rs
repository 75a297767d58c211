//! What must commit together: verdict, health, period, incident, events, deliveries.
//!
//! The judge locks the monitors of a batch with their tracks, one per region, folds (which is the domain's), appends
//! the checks, advances the healths, and for each change of a monitor's status calls [`Tx::turn`]. A crash before the
//! commit leaves nothing; one after it leaves rows that `deliver` finds. The same batch a second time folds to nothing
//! and appends nothing.
//!
//! This is the hot path: a batch is three statements, however many checks it has, and their one parameter is a JSON
//! array of arrays. `checks` is narrow and only grows at its end; `health` is narrow and updated in place.

mod proof;
mod tell;
mod turn;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;

use gazer_domain::alert::Rule;
use gazer_domain::cause::{Cause, Code};
use gazer_domain::health::Health;
use gazer_domain::incident::Trouble;
use gazer_domain::observation::Observation;
use gazer_domain::time::millis;
use gazer_domain::verdict::Verdict;
use gazer_domain::{IncidentId, MonitorId, TeamId, Timestamp};

pub use watch::{Track, Watch};

use crate::sql::{Conn, args};
use crate::{LastCheck, Result, Store, status, wire};

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

/// Where nothing is known already, and it was said so, there is only to count what else is missed: so many times less
/// often. A region that is gone for good must not keep the audit from those that fell silent just now.
const SILENT: u32 = 10;

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

    /// Monitors whose next check is overdue in some region, by the longest check and a grace: for the audit.
    pub async fn tracks_overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<MonitorId>> {
        let sql = "select m.id from health h join monitors m on m.key = h.monitor
            where h.covered + h.patience < $1 and m.paused = 0 and m.deleted_at is null
                and (h.status <> $3 or h.slot < h.since or h.covered + h.patience * $4 < $1)
            order by h.covered limit $2";
        let unknown = status::verdict_number(Verdict::Unknown);
        let rows = self.rows(sql, args![now, limit, unknown, SILENT]).await?;
        let mut monitors = rows.iter().map(|row| row.id("id")).collect::<Result<Vec<_>>>()?;
        monitors.sort_unstable();
        monitors.dedup();
        Ok(monitors)
    }
}

impl Tx {
    /// Appends checks by their tracks' keys; one that is there already stays as it is.
    pub async fn checks_append(&mut self, checks: &[(i64, &Observation)]) -> Result<u64> {
        let row = |(track, seen): &(i64, &Observation)| {
            let late = millis(seen.started.since(seen.slot)).min(i64::from(i32::MAX));
            let took = millis(seen.took).min(i64::from(i32::MAX));
            let verdict = status::verdict_number(seen.judgement.verdict);
            let code = seen.judgement.cause.as_ref().map(|cause| wire::code::number(cause.code));
            let phases = wire::phases::hex(&wire::phases::pack(&seen.phases));
            (seen.slot.millis(), *track, late, took, verdict, code, phases)
        };
        let rows: Vec<_> = checks.iter().map(row).collect();
        self.conn.run(self.conn.dialect().checks_append(), args![gazer_wire::write(&rows)]).await
    }

    pub async fn health_advance(&mut self, advances: &[Advance]) -> Result<()> {
        let row = |Advance { track, health, last, certificate_until }: &Advance| {
            let Health { status, since, began, slot, covered, failing, good } = health;
            let [since, began, slot, covered] = [since, began, slot, covered].map(|at| at.millis());
            let (status, failing) = (status::verdict_number(*status), u8::from(*failing));
            let (seen, took) = (last.map(|last| last.slot.millis()), last.map(|last| millis(last.took)));
            let verdict = last.map(|last| status::verdict_number(last.verdict));
            let until = certificate_until.map(Timestamp::millis);
            (*track, status, slot, covered, failing, *good, seen, took, verdict, until, since, began)
        };
        let rows: Vec<_> = advances.iter().map(row).collect();
        let sql = self.conn.dialect().spell(include_str!("judge/advance.sql"));
        self.conn.run(sql, args![gazer_wire::write(&rows)]).await.map(drop)
    }

    pub async fn commit(self) -> Result<()> {
        self.conn.commit().await
    }

    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
