//! "Check now": a row that `plan` serves.

use gazer_domain::observation::Observation;
use gazer_domain::{MonitorId, TeamId, Timestamp};

use crate::{Result, Store};

impl Store {
    /// `None` if the team has no such monitor.
    pub async fn request_add(&self, team: TeamId, monitor: MonitorId, now: Timestamp) -> Result<Option<i64>> {
        todo!()
    }

    /// Each request is handed out once.
    pub async fn requests_claim(&self, now: Timestamp) -> Result<Vec<(i64, MonitorId)>> {
        todo!()
    }

    pub async fn request_settle(&self, request: i64, observation: &Observation) -> Result<()> {
        todo!()
    }

    /// `None` if the team made no such request, `Some(None)` while it is not answered.
    pub async fn request_get(&self, team: TeamId, request: i64) -> Result<Option<Option<Observation>>> {
        todo!()
    }
}
