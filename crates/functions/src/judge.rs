//! judge: joins what was seen to what was known, in one transaction: checks, health, incident, events, deliveries.
//!
//! Nothing is sent from memory: the bell that it rings afterwards only makes `deliver` look sooner. A batch seen twice
//! changes nothing, because a slot that was folded is not folded again, and a check row has its slot as its key.
//! Killed before the commit, nothing happened, and the slots are missed; killed after it, everything is a row.

use std::collections::HashMap;
use std::time::Duration;

use gazer_bus::function::Intake;
use gazer_bus::{Changed, Failure, Function, Message, Observed, Report, Topic, Wake, Woken};
use gazer_domain::MonitorId;
use gazer_domain::health::{Seen, fold};
use gazer_domain::observation::Observation;
use gazer_store::{Advance, LastCheck, Store, Track, Tx};

use crate::{Parts, id};

/// Good news waits for company: one commit a second carries all of it. Bad news does not wait.
const LINGER: Duration = Duration::from_millis(500);
const MOST: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Judge {
    parts: Parts,
}

impl Judge {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }

    async fn batch(&self, mut seen: Vec<Observed>) -> Result<Report, Failure> {
        seen.sort_by_key(|seen| seen.observation.slot);
        let mut monitors: Vec<MonitorId> = seen.iter().map(|seen| seen.observation.monitor).collect();
        monitors.sort_unstable();
        monitors.dedup();
        let fail = |err| Failure::new("judge observations", err);
        let mut tx = self.parts.store.begin().await.map_err(fail)?;
        let mut tracks = tx.tracks_lock(&monitors).await.map_err(fail)?;
        let current = current(&seen, &tracks);
        let rows: Vec<_> = current.iter().map(|observation| (tracks[&observation.monitor].key, *observation)).collect();
        tx.checks_append(&rows).await.map_err(fail)?;
        let mut advanced = HashMap::new();
        let mut changed = Vec::new();
        for observation in &current {
            let Some(track) = tracks.get_mut(&observation.monitor) else { continue };
            let turned = self.fold(&mut tx, track, observation, &mut advanced).await.map_err(fail)?;
            if turned {
                changed.push(Changed { team: track.team, monitor: Some(track.monitor) });
            }
        }
        let advanced: Vec<_> = advanced.into_values().collect();
        tx.health_advance(&advanced).await.map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        if !changed.is_empty() {
            self.parts.bus.publish(Message::Deliver);
        }
        let report = Report {
            looked_at: seen.len() as u64,
            changed: changed.len() as u64,
            skipped: (seen.len() - current.len()) as u64,
        };
        self.tell(&current, &tracks);
        settle_requests(&self.parts.store, &seen).await?;
        Ok(report)
    }

    /// Folds one observation; answers whether the monitor's status changed.
    async fn fold(
        &self,
        tx: &mut Tx,
        track: &mut Track,
        observation: &Observation,
        advanced: &mut HashMap<i64, Advance>,
    ) -> Result<bool, gazer_store::Error> {
        let verdict = observation.judgement.verdict;
        let seen = Seen { slot: observation.slot, took: observation.took, verdict };
        let Some(step) = fold(track.health, seen, &track.policy) else { return Ok(false) };
        track.health = step.health;
        let last = LastCheck { slot: observation.slot, took: observation.took, verdict };
        let certificate_until = observation.certificate_until;
        advanced
            .insert(track.key, Advance { track: track.key, health: step.health, last: Some(last), certificate_until });
        let now = self.parts.clock.now();
        for change in &step.changes {
            let cause = observation.judgement.cause.as_ref().filter(|_| change.at == observation.slot);
            tx.turn(track, *change, cause, id(&self.parts), now).await?;
        }
        // What was asked for by hand is answered with its attempts; only trouble keeps them as evidence.
        if !step.changes.is_empty() && track.open.is_some() && !verdict.is_up() {
            tx.evidence_add(track, observation.slot, &observation.attempts).await?;
        }
        Ok(!step.changes.is_empty())
    }

    /// Open pages see every check, not only changes of status.
    fn tell(&self, observations: &[&Observation], tracks: &HashMap<MonitorId, Track>) {
        for observation in observations {
            let Some(track) = tracks.get(&observation.monitor) else { continue };
            self.parts.bus.tell(Changed { team: track.team, monitor: Some(track.monitor) });
        }
    }
}

/// Drops what was made from a revision that is no more, and what belongs to a monitor that is paused or gone.
fn current<'a>(seen: &'a [Observed], tracks: &HashMap<MonitorId, Track>) -> Vec<&'a Observation> {
    let is_current = |observation: &&Observation| {
        tracks.get(&observation.monitor).is_some_and(|track| track.revision == observation.revision)
    };
    seen.iter().map(|seen| &seen.observation).filter(is_current).collect()
}

async fn settle_requests(store: &Store, seen: &[Observed]) -> Result<(), Failure> {
    for observed in seen {
        let Some(request) = observed.request else { continue };
        let settled = store.request_settle(request, &observed.observation).await;
        settled.map_err(|err| Failure::new("answer a request for a check", err))?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl Function for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn wakes(&self) -> &'static [Wake] {
        &[Wake::Topic(Topic::Observed)]
    }

    fn intake(&self) -> Intake {
        Intake { concurrency: 1, most: MOST, linger: LINGER }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let seen = messages.into_iter().filter_map(|message| match message {
            Message::Observed(observed) => Some(*observed),
            _ => None,
        });
        self.batch(seen.collect()).await
    }
}
