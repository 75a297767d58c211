//! judge: joins what was seen to what was known, in one transaction: checks, health, incident, events, deliveries.
//!
//! Nothing is sent from memory: the bell that it rings afterwards only makes `deliver` look sooner. A batch seen twice
//! changes nothing, because a slot that was folded is not folded again, and a check row has its slot as its key.
//! Killed before the commit, nothing happened, and the slots are missed; killed after it, everything is a row.
//! A store that does not answer is waited for: what was seen is kept in memory until it is written.

use std::collections::HashMap;
use std::time::Duration;

use gazer_bus::clock::SET_BACK;
use gazer_bus::crash::{self, Point};
use gazer_bus::function::Intake;
use gazer_bus::{Changed, Failure, Function, Message, Observed, Report, Role, Topic, Wake, Woken};
use gazer_domain::health::{Seen, fold};
use gazer_domain::observation::Observation;
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_domain::{MonitorId, incident};
use gazer_store::{Advance, Error, LastCheck, Tx, Watch};

use crate::patience::patiently;
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

    /// Judges a batch, however often it takes. If a row that cannot be read stands in its way, each observation is
    /// judged by itself, and only those that need the row are lost.
    async fn batch(&self, seen: &[Observed]) -> Result<Report, Failure> {
        match patiently(&self.parts, None, || self.commit(seen)).await {
            Err(err @ Error::Corrupt { .. }) if seen.len() > 1 => {
                tracing::error!(error = &err as &dyn std::error::Error, "a batch cannot be judged as one");
                let mut report = Report::default();
                for one in seen {
                    let done = Box::pin(self.batch(std::slice::from_ref(one))).await.unwrap_or_else(|_| lost());
                    report.looked_at += done.looked_at;
                    report.changed += done.changed;
                    report.skipped += done.skipped;
                }
                Ok(report)
            }
            judged => judged.map_err(|err| Failure::new("judge observations", err)),
        }
    }

    /// The one transaction, and what follows from it.
    async fn commit(&self, seen: &[Observed]) -> Result<Report, Error> {
        // What was begun while the clock was ahead would be folded as the future, and hide everything until then.
        let latest = self.parts.clock.now() + SET_BACK;
        let seen: Vec<&Observed> = seen.iter().filter(|seen| seen.observation.slot <= latest).collect();
        let mut monitors: Vec<MonitorId> = seen.iter().map(|seen| seen.observation.monitor).collect();
        monitors.sort_unstable();
        monitors.dedup();
        let mut tx = self.parts.store.begin().await?;
        let mut watches = tx.watches_lock(&monitors).await?;
        let rows: Vec<_> = seen.iter().filter_map(|seen| recorded(seen, &watches)).collect();
        tx.checks_append(&rows).await?;
        let mut advanced = HashMap::new();
        let mut changed = 0;
        for Observed { observation, region, .. } in &seen {
            let Some(watch) = watches.get_mut(&observation.monitor) else { continue };
            let Some(track) = watch.track_of(region) else { continue };
            changed += u64::from(self.fold(&mut tx, watch, track, observation, &mut advanced).await?);
        }
        let advanced: Vec<_> = advanced.into_values().collect();
        tx.health_advance(&advanced).await?;
        for Observed { observation, region, request, .. } in &seen {
            let Some(request) = request else { continue };
            tx.request_settle(*request, region, observation).await?;
        }
        crash::point(Point::Judged);
        tx.commit().await?;
        if changed > 0 {
            crash::point(Point::Committed);
            self.parts.bus.publish(Message::Deliver);
        }
        let (looked_at, skipped) = (seen.len() as u64, (seen.len() - rows.len()) as u64);
        self.tell(&watches);
        Ok(Report { looked_at, changed, skipped, next: None })
    }

    /// Folds one observation into that track; answers whether the monitor's status changed.
    async fn fold(
        &self,
        tx: &mut Tx,
        watch: &mut Watch,
        track: usize,
        observation: &Observation,
        advanced: &mut HashMap<i64, Advance>,
    ) -> Result<bool, Error> {
        let verdict = observation.judgement.verdict;
        let is_current = watch.revision == observation.revision;
        let now = self.parts.clock.now();
        let seen = Seen::of(observation, is_current, now);
        let Some(step) = fold(watch.standing.regions[track], seen, &watch.policy) else { return Ok(false) };
        let key = watch.tracks[track].key;
        let advance = advanced.entry(key).or_insert(Advance::of(key, step.health));
        advance.health = step.health;
        if is_current {
            advance.last = Some(LastCheck { slot: observation.slot, took: observation.took, verdict });
            advance.certificate_until = observation.certificate_until.or(advance.certificate_until);
        }
        let cause = observation.judgement.cause.as_ref();
        if let Some(cause) = cause.filter(|_| is_current && !step.changes.is_empty()) {
            tx.onset_put(watch, track, observation.slot, cause, &observation.attempts).await?;
        }
        let changes = watch.standing.take(track, &step);
        for change in &changes {
            // What one region confirms another may have brought.
            let cause = cause.filter(|_| brings(verdict, change.status));
            tx.turn(watch, *change, cause, id(&self.parts), now).await?;
        }
        if is_current {
            keep(tx, watch, track, observation).await?;
        }
        Ok(!changes.is_empty())
    }

    /// Open pages see every check, not only changes of status.
    fn tell(&self, watches: &HashMap<MonitorId, Watch>) {
        for watch in watches.values() {
            self.parts.bus.tell(Changed { team: watch.team, monitor: Some(watch.monitor) });
        }
    }
}

/// The check's row. What was made from a revision that is no more is dropped, and so is what belongs to a monitor that
/// is paused or gone, or is not checked from that region.
fn recorded<'a>(seen: &'a Observed, watches: &HashMap<MonitorId, Watch>) -> Option<(i64, &'a Observation)> {
    let Observed { observation, region, .. } = seen;
    let watch = watches.get(&observation.monitor)?;
    let track = &watch.tracks[watch.track_of(region)?];
    (watch.revision == observation.revision).then_some((track.key, observation))
}

/// Whether a check with that verdict says why the monitor's status is so now.
fn brings(verdict: Verdict, status: Status) -> bool {
    match status {
        Status::Down | Status::Regional => verdict == Verdict::Down,
        status => status == Status::from(verdict),
    }
}

/// What was asked for by hand is answered with its attempts; only trouble keeps them as evidence.
async fn keep(tx: &mut Tx, watch: &mut Watch, track: usize, observation: &Observation) -> Result<(), Error> {
    let Some(cause) = observation.judgement.cause.as_ref().filter(|_| watch.open.is_some()) else { return Ok(()) };
    let proved = tx.proved(watch, track).await?;
    let is_kept = incident::is_evidence(proved, observation.slot, cause.code);
    if observation.judgement.verdict == Verdict::Up || !is_kept {
        return Ok(());
    }
    tx.evidence_add(watch, track, observation.slot, cause.code, &observation.attempts).await
}

/// The report of one observation that could not be judged.
fn lost() -> Report {
    Report { looked_at: 1, skipped: 1, ..Report::default() }
}

#[async_trait::async_trait]
impl Function for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn role(&self) -> Role {
        Role::Judge
    }

    fn wakes(&self) -> &[Wake] {
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
        let mut seen: Vec<Observed> = seen.collect();
        seen.sort_by_key(|seen| seen.observation.slot);
        self.batch(&seen).await
    }
}
