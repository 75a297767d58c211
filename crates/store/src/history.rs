//! What checks found, and which were made at all.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::cause::Code;
use gazer_domain::observation::Phases;
use gazer_domain::period::Period;
use gazer_domain::verdict::Verdict;
use gazer_domain::{MonitorId, TeamId, Timestamp};

use crate::{Result, Store};

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
    /// Started later than `guarantee::LATENESS` after their slots.
    pub late: u64,
    /// Slots that no check covers.
    pub missed: u64,
}

impl Store {
    /// In order of their slots, in `[from, until)`; empty for a monitor that the team does not have.
    pub async fn checks(
        &self,
        team: TeamId,
        monitor: MonitorId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<CheckRow>> {
        todo!()
    }

    /// What is known of each monitor's last `count` slots, oldest first.
    pub async fn sparklines(
        &self,
        team: TeamId,
        monitors: &[MonitorId],
        now: Timestamp,
        count: u32,
    ) -> Result<HashMap<MonitorId, Vec<CheckRow>>> {
        todo!()
    }

    /// Periods that touch `[from, until)`, uncut, newest last.
    pub async fn periods(
        &self,
        team: TeamId,
        monitors: &[MonitorId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<HashMap<MonitorId, Vec<Period>>> {
        todo!()
    }

    pub async fn lateness(&self, team: TeamId, monitor: MonitorId, from: Timestamp, until: Timestamp) -> Result<Kept> {
        todo!()
    }
}
