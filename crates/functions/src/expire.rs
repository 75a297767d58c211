//! expire: what is older than its retention goes, a bounded number of rows at a time.

use std::time::Duration;

use gazer_bus::{Failure, Function, Report, Role, Wake, Woken};

use crate::Parts;

const EVERY: Duration = Duration::from_secs(60);
/// Small enough that the transaction does not keep a judge waiting.
const MOST: u32 = 10_000;

#[derive(Debug)]
pub(crate) struct Expire {
    parts: Parts,
}

impl Expire {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }
}

#[async_trait::async_trait]
impl Function for Expire {
    fn name(&self) -> &'static str {
        "expire"
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(EVERY)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let mut report = Report::default();
        loop {
            let expired = self.parts.store.expire(self.parts.clock.now(), self.parts.retention, MOST).await;
            let expired = expired.map_err(|err| Failure::new("remove what has expired", err))?;
            report.changed += expired.checks;
            if expired.checks < u64::from(MOST) {
                return Ok(report);
            }
        }
    }
}
