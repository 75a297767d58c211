//! What must commit together.

use std::collections::HashMap;

use gazer_domain::cause::Cause;
use gazer_domain::health::{Change, Health, Policy};
use gazer_domain::incident::Trouble;
use gazer_domain::observation::{Attempt, Observation};
use gazer_domain::{IncidentId, MonitorId, TeamId, Timestamp};

use crate::{LastCheck, Result, Store};

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

/// A transaction that may write. Dropping it undoes everything.
#[derive(Debug)]
pub struct Tx {}

impl Store {
    pub async fn begin(&self) -> Result<Tx> {
        todo!()
    }

    /// Monitors whose next check is overdue by the longest check and a grace: for the audit.
    pub async fn tracks_overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<MonitorId>> {
        todo!()
    }
}

impl Tx {
    /// Those that are neither paused nor deleted, locked in the order of their keys.
    pub async fn tracks_lock(&mut self, monitors: &[MonitorId]) -> Result<HashMap<MonitorId, Track>> {
        todo!()
    }

    /// Appends checks by their tracks' keys; one that is there already stays as it is.
    pub async fn checks_append(&mut self, checks: &[(i64, &Observation)]) -> Result<u64> {
        todo!()
    }

    pub async fn health_advance(&mut self, advances: &[Advance]) -> Result<()> {
        todo!()
    }

    /// Everything that a change of status means: the period, the incident, its events, who is told, who waits.
    /// `new_id` names the incident if one opens. `track.open` follows.
    pub async fn turn(
        &mut self,
        track: &mut Track,
        change: Change,
        cause: Option<&Cause>,
        new_id: IncidentId,
        now: Timestamp,
    ) -> Result<()> {
        todo!()
    }

    /// Keeps the attempts with the open incident; without one there is nothing to prove.
    pub async fn evidence_add(&mut self, track: &Track, slot: Timestamp, attempts: &[Attempt]) -> Result<()> {
        todo!()
    }

    pub async fn commit(self) -> Result<()> {
        todo!()
    }
}
