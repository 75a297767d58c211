//! audit: slots that came and went without a check become `unknown`.
//!
//! Whatever we failed to do, it is never shown as the site's fault, nor hidden: the time is unknown from the first
//! missed slot to the next check. A check that was made all the same and arrives later is recorded, not folded; so while
//! the judge still works on what was seen a while ago, nothing is called missed.

use std::time::Duration;

use gazer_bus::{Changed, Failure, Function, Message, Report, Topic, Wake, Woken};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::health::fold_gap;
use gazer_store::Advance;

use crate::{Parts, id};

const EVERY: Duration = Duration::from_secs(5);
const MOST: u32 = 1_000;
/// A judge takes milliseconds for a batch. One that takes this long waits for its store, and has checks in its hands.
const BEHIND: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Audit {
    parts: Parts,
}

impl Audit {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }

    async fn look(&self) -> Result<Report, gazer_store::Error> {
        if self.parts.bus.lag(Topic::Observed) > BEHIND {
            return Ok(Report::default());
        }
        let now = self.parts.clock.now();
        let overdue = self.parts.store.tracks_overdue(now, MOST).await?;
        let mut report = Report { looked_at: overdue.len() as u64, ..Report::default() };
        if overdue.is_empty() {
            return Ok(report);
        }
        let mut tx = self.parts.store.begin().await?;
        let mut advanced = Vec::new();
        let mut tracks = tx.tracks_lock(&overdue).await?;
        // In the order of the list, so that what is told is told in the same order wherever the same happens.
        for monitor in &overdue {
            let Some(track) = tracks.get_mut(monitor) else { continue };
            let Some(step) = fold_gap(track.health, now, track.grace, &track.policy) else { continue };
            track.health = step.health;
            let cause = Cause::new(Code::Missed, "Gazer did not check when it was due");
            for change in &step.changes {
                tx.turn(track, *change, Some(&cause), id(&self.parts), now).await?;
                self.parts.bus.tell(Changed { team: track.team, monitor: Some(track.monitor) });
            }
            advanced.push(Advance::of(track.key, step.health));
            report.changed += 1;
        }
        tx.health_advance(&advanced).await?;
        tx.commit().await?;
        if report.changed > 0 {
            tracing::warn!(monitors = report.changed, "slots were missed; their time is unknown");
            self.parts.bus.publish(Message::Deliver);
        }
        Ok(report)
    }
}

#[async_trait::async_trait]
impl Function for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn wakes(&self) -> &'static [Wake] {
        &[Wake::Clock(EVERY)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        self.look().await.map_err(|err| Failure::new("audit missed slots", err))
    }
}
