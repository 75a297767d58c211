//! look: a prober that shares its work looks at itself, and says what it sees to whoever plans.
//!
//! It needs no database. A look that is lost is one that `canary` waits for: a region that says nothing is one of which
//! nobody knows whether it sees. Run twice it would say the same twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gazer_bus::{Failure, Function, Message, Report, Role, Wake, Woken};
use gazer_domain::sight::{Look as Said, World};

use crate::Outside;

#[derive(Debug)]
pub(crate) struct Look {
    outside: Outside,
    wakes: [Wake; 1],
    /// Votes lapse in an hour; that an outage of ours outlasts them does not end it.
    is_cut_off: AtomicBool,
}

impl Look {
    pub(crate) fn new(outside: &Outside, every: Duration) -> Self {
        let (is_cut_off, wakes) = (AtomicBool::new(false), [Wake::Clock(every)]);
        Self { outside: outside.clone(), wakes, is_cut_off }
    }
}

#[async_trait::async_trait]
impl Function for Look {
    fn name(&self) -> &'static str {
        "look"
    }

    fn role(&self) -> Role {
        Role::Check
    }

    fn wakes(&self) -> &[Wake] {
        &self.wakes
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let Outside { prober, region, name, bus, .. } = &self.outside;
        let insists = self.is_cut_off.load(Ordering::Relaxed);
        let (canaries, world) = futures_util::future::join(prober.canaries(), prober.world(insists)).await;
        self.is_cut_off.store(matches!(world, World::Silent { .. }), Ordering::Relaxed);
        let said = Said { region: region.clone(), prober: name.clone(), canaries, world };
        bus.publish(Message::Looked(Box::new(said)));
        Ok(Report { looked_at: 1, ..Report::default() })
    }
}
