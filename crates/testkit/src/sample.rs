//! What a prober may have seen.

use std::time::Duration;

use gazer_domain::observation::{Observation, Phases};
use gazer_domain::verdict::Judgement;
use gazer_domain::{MonitorId, Timestamp};

/// The monitor's first revision is well at this slot. Whoever wants more of it writes that over it.
pub fn well(monitor: MonitorId, slot: Timestamp) -> Observation {
    Observation {
        monitor,
        revision: 1,
        slot,
        started: slot,
        took: Duration::ZERO,
        judgement: Judgement::UP,
        phases: Phases::default(),
        certificate_until: None,
        attempts: Vec::new(),
    }
}
