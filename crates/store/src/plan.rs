//! What the planner has to know: which monitors changed.

use gazer_domain::TeamId;
use gazer_domain::monitor::Monitor;

use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub monitor: Monitor,
    pub team: TeamId,
    /// Paused or deleted.
    pub removed: bool,
}

impl Store {
    /// Monitors changed after `seq`, and the number to ask with next; 0 asks for everything that is not paused.
    pub async fn planned_since(&self, seq: i64) -> Result<(i64, Vec<Planned>)> {
        todo!()
    }
}
