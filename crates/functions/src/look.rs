//! look: a prober that shares its work looks at itself, and says what it sees.
//!
//! It needs no database. Where one process hears all probers, it says so to `canary`: a look that is lost is one that
//! `canary` waits for, for a region that says nothing is one of which nobody knows whether it sees. Where nobody does, it
//! folds its looks itself, and an episode that begins is an error of ours, of which an issue is made. Run twice it would
//! say the same twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use gazer_bus::{Failure, Function, Message, Report, Role, Wake, Woken};
use gazer_domain::sight::{self, Look as Said, Sight, Turn, World};

use crate::{Outside, Says, lock};

#[derive(Debug)]
pub(crate) struct Look {
    outside: Outside,
    says: Says,
    wakes: [Wake; 1],
    /// Votes lapse in an hour; that an outage of ours outlasts them does not end it.
    is_cut_off: AtomicBool,
    /// Of looks that nobody hears.
    sight: Mutex<Sight>,
}

impl Look {
    pub(crate) fn new(outside: &Outside, says: Says) -> Self {
        Self {
            outside: outside.clone(),
            says,
            wakes: [Wake::Clock(says.every)],
            is_cut_off: AtomicBool::new(false),
            sight: Mutex::default(),
        }
    }

    /// What this look changes, where nobody else folds it.
    fn fold(&self, said: &Said) -> Option<Turn> {
        let found = sight::judge_looks([said], self.says.every);
        lock(&self.sight).fold(self.outside.clock.now(), found)
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
        let report = Report { looked_at: 1, ..Report::default() };
        let insists = self.is_cut_off.load(Ordering::Relaxed);
        let (canaries, world) = futures_util::future::join(prober.canaries(), prober.world(insists)).await;
        self.is_cut_off.store(matches!(world, World::Silent { .. }), Ordering::Relaxed);
        let said = Said { region: region.clone(), prober: name.clone(), canaries, world };
        if self.says.is_heard {
            bus.publish(Message::Looked(Box::new(said)));
            return Ok(report);
        }
        match self.fold(&said) {
            Some(Turn::Opened { fault, text, .. }) => {
                tracing::error!(%region, code = fault.as_str(), "impaired: {text}");
            }
            Some(Turn::Closed { .. }) => tracing::info!(%region, "no longer impaired"),
            None => {}
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use gazer_channels::Operator;
    use gazer_domain::Region;
    use gazer_domain::sight::Fault;

    use super::*;
    use crate::trial::{self, Still};
    use crate::{Lookout, Parts};

    #[tokio::test]
    async fn what_nobody_else_hears_is_concluded_from_two_looks() {
        let lookout = Lookout::new(Region::local(), Lookout::EVERY, Operator::default());
        let parts = trial::parts(trial::store().await, Arc::new(Still::new()), lookout);
        let Parts { bus, clock, prober, channels, .. } = parts;
        let (region, name) = (Region::local(), "only".to_owned());
        let says = Says { every: Duration::from_secs(60), is_heard: false };
        let outside = Outside { bus, clock, prober, channels, region, name, says: Some(says), checks: 1 };
        let look = Look::new(&outside, says);
        let said = |world| Said { region: Region::local(), prober: "only".into(), canaries: None, world };
        let (cut_off, well) = (said(World::Silent { asked: 3 }), said(World::Answers));
        assert_eq!(look.fold(&cut_off), None, "one stumble is no news");
        let opened = look.fold(&cut_off);
        assert!(matches!(opened, Some(Turn::Opened { fault: Fault::NetworkDown, .. })), "{opened:?}");
        assert_eq!(look.fold(&cut_off), None, "told once");
        assert_eq!(look.fold(&well), None);
        assert!(matches!(look.fold(&well), Some(Turn::Closed { .. })));
    }
}
