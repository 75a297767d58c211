//! check: probes what is due and sends what it saw to the judge, each as soon as it is known.
//!
//! It needs no database. A check that is lost is a missed slot, which `audit` counts. One check is in flight per
//! monitor: a slot that comes up meanwhile is covered by it, and a check out of turn waits for its end, so that checks
//! end in the order of their slots. Run twice it would ask a site twice, and the judge folds the second answer to
//! nothing.
//!
//! All teams share the places for checks under way. A team that is alone may have them all; where they do not suffice,
//! the team that has the most gives up its newest, which are `unknown`: our overload is nobody's outage.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use gazer_bus::crash::{self, Point};
use gazer_bus::function::Intake;
use gazer_bus::{CheckBatch, Due, Failure, Function, Message, Observed, Occasion, Report, Role, Topic, Wake, Woken};
use gazer_domain::cause::{Cause, Code};
use gazer_domain::monitor::{Brief, Spec};
use gazer_domain::observation::{Observation, Phases};
use gazer_domain::verdict::Judgement;
use gazer_domain::{MonitorId, Timestamp};
use gazer_probes::Plan as Compiled;
use gazer_probes::check::{Job, Keep};
use tokio::sync::Notify;

use crate::epochs::Epochs;
use crate::places::Places;
use crate::starved::Starved;
use crate::{Outside, lock};

/// Checks in flight at once, where the machine allows it. Each holds a socket and a few kilobytes; what comes on top is
/// our overload: `unknown`.
pub(crate) const IN_FLIGHT: usize = 4_000;

/// Checks out of turn that wait for the one under way, over all monitors. What comes on top is left out, of whichever
/// team has the most of them.
const LINES: usize = 4_000;

/// What a monitor asks for is compiled anew if it was not checked for so long.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Checks out of turn that wait for one monitor; more would only ask the same again.
const WAITING: usize = 3;

#[derive(Debug)]
pub(crate) struct Check {
    outside: Outside,
    /// What each monitor asks for, compiled once per revision.
    compiled: Mutex<HashMap<MonitorId, Ready>>,
    in_flight: InFlight,
    /// For checks under way, and for those that wait for one.
    places: Places,
    lines: Places,
    starved: Starved,
    epochs: Epochs,
}

/// A monitor as it was compiled; one that was not checked for a while gives up its place.
#[derive(Debug)]
struct Ready {
    used: Timestamp,
    revision: u32,
    plan: Compiled,
}

impl Check {
    pub(crate) fn new(outside: &Outside) -> Self {
        Self {
            outside: outside.clone(),
            compiled: Mutex::default(),
            in_flight: InFlight::default(),
            places: Places::new(outside.checks),
            lines: Places::new(LINES),
            starved: Starved::default(),
            epochs: Epochs::default(),
        }
    }

    async fn batch(&self, batch: CheckBatch) -> Report {
        let mut report = Report::default();
        let now = self.outside.clock.now();
        // One for another region, which nobody here serves, is that region's to miss.
        let is_elsewhere = batch.region != self.outside.region;
        if is_elsewhere || now > batch.deadline || self.epochs.is_over(batch.epoch, now) {
            report.skipped = batch.due.len() as u64;
            return report;
        }
        let mut checks: FuturesUnordered<_> = batch.due.iter().map(|due| self.one(due)).collect();
        while let Some(checked) = checks.next().await {
            report.looked_at += 1;
            report.skipped += u64::from(!checked);
        }
        report
    }

    /// Answers whether the check was made.
    async fn one(&self, due: &Due) -> bool {
        // Held until the observation is on its way, and given back also where a probe panics.
        let (_flight, slot) = match due.occasion {
            Occasion::Slot => match self.in_flight.begin(due.monitor.id) {
                Some(flight) => (flight, due.slot),
                None => return false,
            },
            // It stands for the instant at which it is made.
            Occasion::Change | Occasion::Request(_) => match self.turn(due).await {
                Some(flight) => (flight, self.outside.clock.now()),
                None => return false,
            },
        };
        let due = Due { slot, ..due.clone() };
        let observation = self.within_share(&due).await;
        self.starved.note(observation.judgement.cause.as_ref(), self.outside.clock.now());
        crash::point(Point::Probed);
        let request = due.occasion.request();
        let region = self.outside.region.clone();
        let seen = Observed { region, observation, team: due.team, request };
        self.outside.bus.publish(Message::Observed(Box::new(seen)));
        true
    }

    /// When no other check of the monitor is under way; `None` if enough wait for that already.
    async fn turn(&self, due: &Due) -> Option<Flight<'_>> {
        let line = self.lines.take(due.team)?;
        line.during(self.in_flight.wait(due.monitor.id)).await.flatten()
    }

    /// Makes the check in one of the places that all teams share.
    async fn within_share(&self, due: &Due) -> Observation {
        let observed = match self.places.take(due.team) {
            // Boxed, since a probe is large and would be moved.
            Some(place) => place.during(Box::pin(self.observe(due))).await,
            None => None,
        };
        observed.unwrap_or_else(|| {
            let text =
                format!("Gazer already had {} checks under way, the most it makes at a time", self.outside.checks);
            unmade(due, self.outside.clock.now(), Cause::new(Code::Overloaded, text))
        })
    }

    async fn observe(&self, due: &Due) -> Observation {
        let plan = match self.compile(&due.monitor) {
            Ok(plan) => plan,
            Err(invalid) => {
                let cause =
                    Cause::new(Code::Internal, format!("the monitor cannot be checked as it stands: {invalid}"));
                return unmade(due, self.outside.clock.now(), cause);
            }
        };
        let job = Job {
            monitor: due.monitor.id,
            revision: due.monitor.revision,
            slot: due.slot,
            plan,
            verify: due.monitor.verify,
            keep: if due.occasion.request().is_some() { Keep::Everything } else { Keep::Failures },
        };
        self.outside.prober.check(&job, || self.outside.clock.now()).await
    }

    fn compile(&self, monitor: &Brief) -> Result<Compiled, gazer_domain::Invalid> {
        let now = self.outside.clock.now();
        if let Some(ready) = lock(&self.compiled).get_mut(&monitor.id)
            && ready.revision == monitor.revision
        {
            ready.used = now;
            return Ok(ready.plan.clone());
        }
        let Spec::Http(spec) = &monitor.spec;
        let plan = self.outside.prober.compile(spec)?;
        let mut compiled = lock(&self.compiled);
        if compiled.len() == compiled.capacity() {
            compiled.retain(|_, ready| now.since(ready.used) < REMEMBERED);
        }
        compiled.insert(monitor.id, Ready { used: now, revision: monitor.revision, plan: plan.clone() });
        Ok(plan)
    }
}

/// Which monitors are being checked.
#[derive(Debug, Default)]
struct InFlight {
    monitors: Mutex<HashSet<MonitorId>>,
    /// How many checks out of turn wait for each.
    waiting: Mutex<HashMap<MonitorId, usize>>,
    landed: Notify,
}

/// One check under way.
struct Flight<'a> {
    all: &'a InFlight,
    monitor: MonitorId,
}

impl InFlight {
    /// `None` if another check of the monitor is under way.
    fn begin(&self, monitor: MonitorId) -> Option<Flight<'_>> {
        // Made only where it counts: the drop of one that does not would take the place of the one under way.
        lock(&self.monitors).insert(monitor).then(|| Flight { all: self, monitor })
    }

    /// When no other check of the monitor is under way; `None` if enough others wait for that already.
    async fn wait(&self, monitor: MonitorId) -> Option<Flight<'_>> {
        let _place = Place::take(self, monitor)?;
        loop {
            // Interest is registered before looking, so no landing is missed.
            let landed = self.landed.notified();
            if let Some(flight) = self.begin(monitor) {
                return Some(flight);
            }
            landed.await;
        }
    }
}

/// A place in the line for one monitor.
struct Place<'a> {
    all: &'a InFlight,
    monitor: MonitorId,
}

impl<'a> Place<'a> {
    fn take(all: &'a InFlight, monitor: MonitorId) -> Option<Self> {
        let mut waiting = lock(&all.waiting);
        let places = waiting.entry(monitor).or_default();
        if *places == WAITING {
            return None;
        }
        *places += 1;
        Some(Self { all, monitor })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.all.waiting);
        let left = waiting.get(&self.monitor).map_or(0, |places| places - 1);
        if left == 0 {
            waiting.remove(&self.monitor);
        } else {
            waiting.insert(self.monitor, left);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        lock(&self.all.monitors).remove(&self.monitor);
        self.all.landed.notify_waiters();
    }
}

/// What is said of a check that we could not make.
fn unmade(due: &Due, now: Timestamp, cause: Cause) -> Observation {
    Observation {
        monitor: due.monitor.id,
        revision: due.monitor.revision,
        slot: due.slot,
        started: now,
        took: Duration::ZERO,
        judgement: Judgement::unknown(cause),
        phases: Phases::default(),
        certificate_until: None,
        attempts: Vec::new(),
    }
}

#[async_trait::async_trait]
impl Function for Check {
    fn name(&self) -> &'static str {
        "check"
    }

    fn role(&self) -> Role {
        Role::Check
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Topic(Topic::Check)]
    }

    /// Batches do not wait for each other: one holds the slowest of its checks, the next is already due.
    fn intake(&self) -> Intake {
        // A batch is under way as long as one of its checks is, or waits to be.
        Intake { concurrency: IN_FLIGHT + LINES, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let mut report = Report::default();
        for message in messages {
            let Message::Check(batch) = message else { continue };
            let done = self.batch(batch).await;
            report.looked_at += done.looked_at;
            report.skipped += done.skipped;
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_under_way_keeps_its_place_until_it_lands() {
        let (all, monitor) = (InFlight::default(), MonitorId::from_bits(1));
        let flight = all.begin(monitor).expect("the first");
        assert!(all.begin(monitor).is_none() && all.begin(monitor).is_none(), "one at a time");
        drop(flight);
        assert!(all.begin(monitor).is_some());
    }
}
