//! escalate: alert rules that tell only if the trouble lasts.
//!
//! A waiting rule is a row with its instant. When that has come and the incident is still open, its deliveries are
//! written in the transaction that removes the row; run twice, there is nothing left to fire.

use std::time::Duration;

use gazer_bus::{Failure, Function, Message, Report, Wake, Woken};

use crate::Parts;

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Escalate {
    parts: Parts,
}

impl Escalate {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }
}

#[async_trait::async_trait]
impl Function for Escalate {
    fn name(&self) -> &'static str {
        "escalate"
    }

    fn wakes(&self) -> &'static [Wake] {
        &[Wake::Clock(EVERY)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let fired = self.parts.store.waits_fire(self.parts.clock.now()).await;
        let changed = fired.map_err(|err| Failure::new("fire waiting alert rules", err))?;
        if changed > 0 {
            self.parts.bus.publish(Message::Deliver);
        }
        Ok(Report { changed, ..Report::default() })
    }
}
