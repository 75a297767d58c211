//! A process that does everything.

use std::sync::Arc;

use gazer_bus::Registry;
use gazer_functions::{Outside, Parts, Says};

pub(crate) fn registry(parts: &Parts) -> Registry {
    registry_that_says(parts, None)
}

/// And says so what it sees of itself.
pub(crate) fn registry_that_says(parts: &Parts, says: Option<Says>) -> Registry {
    let outside = Outside {
        bus: parts.bus.clone(),
        clock: Arc::clone(&parts.clock),
        prober: parts.prober.clone(),
        channels: Arc::clone(&parts.channels),
        region: parts.lookout.region.clone(),
        name: "only".into(),
        says,
        checks: 4_000,
    };
    gazer_functions::registry(&outside, Some(parts))
}
