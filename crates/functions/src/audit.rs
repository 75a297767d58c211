//! audit: slots that came and went without a check become `unknown`.
//!
//! Whatever we failed to do, it is never shown as the site's fault, nor hidden: the time is unknown from the first
//! missed slot to the next check. A check that was made all the same and arrives later is recorded, not folded; so while
//! the judge still works on what was seen a while ago, nothing is called missed.
//!
//! Of several regions one that fell silent has no vote any more, and the monitor stands as the others say: in the same
//! transaction, so that nobody holds back an outage by saying nothing.

use std::time::Duration;

use gazer_bus::{Changed, Failure, Function, Message, Report, Role, Topic, Wake, Woken};
use gazer_domain::guarantee::AUDIT;
use gazer_domain::health::{Health, fold_gap};
use gazer_store::Advance;

use crate::{Parts, id};

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
        let mut watches: Vec<_> = tx.watches_lock(&overdue).await?.into_values().collect();
        // What is told is told in the same order wherever the same happens.
        watches.sort_unstable_by_key(|watch| watch.key);
        for watch in &mut watches {
            let healths = watch.standing.regions.iter().enumerate();
            let gap = |(at, health): (usize, &Health)| Some((at, fold_gap(*health, now, watch.grace, &watch.policy)?));
            let gaps: Vec<_> = healths.filter_map(gap).collect();
            if gaps.is_empty() {
                continue;
            }
            advanced.extend(gaps.iter().map(|(at, step)| Advance::of(watch.tracks[*at].key, step.health)));
            report.changed += 1;
            let is_silent = gaps.iter().any(|(_, step)| !step.changes.is_empty());
            if let Some(change) = watch.standing.lapse(&gaps) {
                tx.turn(watch, change, None, id(&self.parts), now).await?;
            }
            if is_silent {
                self.parts.bus.tell(Changed { team: watch.team, monitor: Some(watch.monitor) });
            }
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

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(AUDIT)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        self.look().await.map_err(|err| Failure::new("audit missed slots", err))
    }
}
