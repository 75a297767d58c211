//! Incidents as people read them.

use gazer_domain::incident::{Event, Incident};
use gazer_domain::observation::Attempt;
use gazer_domain::{IncidentId, MonitorId, TeamId, Timestamp};

use crate::{DeliveryView, Listed, Page, Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentView {
    pub incident: Incident,
    pub monitor: MonitorId,
    pub monitor_name: String,
    pub monitor_target: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IncidentStory {
    pub view: IncidentView,
    pub events: Vec<Event>,
    pub evidence: Vec<Evidence>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub slot: Timestamp,
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    pub monitor: Option<MonitorId>,
    pub open: Option<bool>,
}

impl Store {
    /// Newest first.
    pub async fn incident_list(
        &self,
        team: TeamId,
        filter: IncidentFilter,
        page: &Page,
    ) -> Result<Listed<IncidentView>> {
        todo!()
    }

    pub async fn incident_get(&self, team: TeamId, incident: IncidentId) -> Result<Option<IncidentStory>> {
        todo!()
    }
}
