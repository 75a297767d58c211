//! escalate: alert rules that tell only if the trouble lasts.
//!
//! A waiting rule is a row with its instant. When that has come, and a check made since says that the trouble lasts, its
//! deliveries are written in the transaction that removes the row; run twice, there is nothing left to fire. Where no
//! check is near, one is asked for: nobody is woken by what was true a while ago.

use std::time::Duration;

use gazer_bus::crash::{self, Point};
use gazer_bus::{Failure, Function, Message, Report, Role, Wake, Woken};

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

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(EVERY)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let (store, now) = (&self.parts.store, self.parts.clock.now());
        let changed = store.waits_fire(now).await.map_err(|err| Failure::new("fire waiting alert rules", err))?;
        if changed > 0 {
            crash::point(Point::Fired);
            self.parts.bus.publish(Message::Deliver);
        }
        let asked = store.waits_ask(now).await.map_err(|err| Failure::new("ask for checks of what waits", err))?;
        if asked > 0 {
            self.parts.bus.publish(Message::Plan);
        }
        Ok(Report { looked_at: asked, changed, ..Report::default() })
    }
}
