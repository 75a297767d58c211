//! Monitors as people see and change them.

use std::time::Duration;

use gazer_domain::monitor::{Monitor, Settings};
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_domain::{IncidentId, MonitorId, TeamId, Timestamp};

use crate::{Listed, Page, Result, Store};

#[derive(Debug, Clone, PartialEq)]
pub struct MonitorView {
    pub monitor: Monitor,
    pub status: Status,
    pub status_since: Timestamp,
    pub last: Option<LastCheck>,
    /// The one that is open.
    pub incident: Option<IncidentId>,
    pub certificate_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCheck {
    pub slot: Timestamp,
    pub took: Duration,
    pub verdict: Verdict,
}

/// `search` looks for a part of the name or the target, without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MonitorFilter {
    pub search: Option<String>,
    pub status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub up: u64,
    pub slow: u64,
    pub down: u64,
    pub unknown: u64,
    pub paused: u64,
}

impl Store {
    pub async fn monitor_create(&self, team: TeamId, monitor: &Monitor) -> Result<()> {
        todo!()
    }

    pub async fn monitor_get(&self, team: TeamId, monitor: MonitorId) -> Result<Option<MonitorView>> {
        todo!()
    }

    /// By name, then by id.
    pub async fn monitor_list(&self, team: TeamId, filter: &MonitorFilter, page: &Page) -> Result<Listed<MonitorView>> {
        todo!()
    }

    pub async fn monitor_totals(&self, team: TeamId) -> Result<Totals> {
        todo!()
    }

    /// A new revision. A new interval begins a new cadence; an open incident stays, and the next check decides.
    pub async fn monitor_edit(
        &self,
        team: TeamId,
        monitor: MonitorId,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Monitor>> {
        todo!()
    }

    /// Closes the open incident with an event of its own. Pausing a paused monitor changes nothing.
    pub async fn monitor_pause(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<Monitor>> {
        todo!()
    }

    /// Begins a new cadence, of which nothing is known yet. Resuming a running monitor changes nothing.
    pub async fn monitor_resume(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<Monitor>> {
        todo!()
    }

    /// Tells the end of an open incident, and hides the monitor; `expire` purges it once that is told.
    pub async fn monitor_delete(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<bool> {
        todo!()
    }
}
