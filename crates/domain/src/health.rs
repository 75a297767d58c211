//! What is known of a monitor in one region, and how one more check changes it.
//!
//! `fold` joins checks in the order of their slots. A late one is recorded, not folded. A slot that nobody checked makes
//! a gap: from the first missed slot on the status is `unknown`, which is our failure and never the site's. An outage
//! survives a gap: it ends only when good checks say so.
//!
//! What a check found holds from its slot on; where it saw that over a second later ([`LATENESS`]), because it came late,
//! or was answered late or at a later attempt only, from then on. So nothing ends long before somebody saw it end.

use std::time::Duration;

use crate::Timestamp;
use crate::cadence::Cadence;
use crate::guarantee::LATENESS;
use crate::observation::Observation;
use crate::verdict::Verdict;

/// One narrow row per monitor and region: it changes with every check. What the monitor's regions come to together is
/// for [`standing`](crate::standing).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    pub status: Verdict,
    /// The slot at which this status began: regions are compared by slots.
    pub since: Timestamp,
    /// When it was first seen so: at that slot, or later where its check saw it later.
    pub began: Timestamp,
    /// The last slot that was folded.
    pub slot: Timestamp,
    /// Slots before this instant are accounted for: checked, covered by a check, or part of a gap.
    pub covered: Timestamp,
    /// Set from the first bad check until enough good ones, also through gaps.
    pub failing: bool,
    /// Good checks in a row while failing.
    pub good: u8,
}

impl Health {
    /// Before the first check, nothing is known.
    pub fn fresh(since: Timestamp) -> Self {
        Self {
            status: Verdict::Unknown,
            since,
            began: since,
            slot: since - Duration::from_millis(1),
            covered: since,
            failing: false,
            good: 0,
        }
    }

    /// Whether nothing was folded yet.
    pub fn is_fresh(&self) -> bool {
        self.status == Verdict::Unknown && self.slot < self.since
    }

    /// The first slot that nothing accounts for.
    pub fn next_slot(&self, cadence: &Cadence) -> Timestamp {
        cadence.at_or_after(self.covered)
    }
}

/// What folding needs of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub slot: Timestamp,
    /// When it saw what it found: at its first attempt, all of which failed, or with the answer of its last.
    pub saw: Timestamp,
    /// The end of its last attempt: slots up to here are covered by it.
    pub ended: Timestamp,
    /// `None` if it was made for settings that hold no longer: its slot was not missed, but what it found says nothing.
    pub verdict: Option<Verdict>,
}

impl Seen {
    /// As of `now`: the clock of whoever looked may be ahead.
    pub fn of(check: &Observation, is_current: bool, now: Timestamp) -> Self {
        let verdict = is_current.then_some(check.judgement.verdict);
        let saw = match check.judgement.verdict {
            Verdict::Up | Verdict::Slow => check.ended(),
            Verdict::Down | Verdict::Unknown => check.started,
        };
        Self { slot: check.slot, saw: saw.min(now), ended: check.ended(), verdict }
    }

    /// From when on that status holds. What nobody saw, nobody saw since the slot.
    fn begins(&self, status: Verdict) -> Timestamp {
        let is_late = status != Verdict::Unknown && self.saw > self.slot + LATENESS;
        if is_late { self.saw } else { self.slot }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub cadence: Cadence,
    pub recover_after: u8,
}

/// From `at` on, the status in this region is `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub at: Timestamp,
    pub status: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub health: Health,
    /// In order of time: at most a gap and what the check found.
    pub changes: Vec<Change>,
}

/// Folds one check. `None` if its slot was folded before: a duplicate or a late one changes nothing.
pub fn fold(health: Health, seen: Seen, policy: &Policy) -> Option<Step> {
    if seen.slot <= health.slot {
        return None;
    }
    let mut step = Step { health, changes: Vec::new() };
    let missed = health.next_slot(&policy.cadence);
    if missed < seen.slot {
        step.turn(missed, missed, Verdict::Unknown);
    }
    if let Some(verdict) = seen.verdict {
        let status = step.health.judge(verdict, policy.recover_after);
        step.turn(seen.slot, seen.begins(status), status);
    }
    step.health.slot = seen.slot;
    step.health.covered = step.health.covered.max(seen.ended).max(seen.slot + Duration::from_millis(1));
    Some(step)
}

/// Folds the absence of checks: slots that were due more than `grace` ago and that nothing accounts for.
pub fn fold_gap(health: Health, now: Timestamp, grace: Duration, policy: &Policy) -> Option<Step> {
    let missed = health.next_slot(&policy.cadence);
    let last = policy.cadence.at_or_before(now - grace).filter(|last| *last >= missed)?;
    let mut step = Step { health, changes: Vec::new() };
    step.turn(missed, missed, Verdict::Unknown);
    step.health.slot = step.health.slot.max(last);
    step.health.covered = last + Duration::from_millis(1);
    Some(step)
}

impl Health {
    fn judge(&mut self, verdict: Verdict, recover_after: u8) -> Verdict {
        match verdict {
            Verdict::Down => {
                (self.failing, self.good) = (true, 0);
                Verdict::Down
            }
            Verdict::Unknown => Verdict::Unknown,
            Verdict::Up | Verdict::Slow if self.failing => {
                self.good = self.good.saturating_add(1);
                if self.good < recover_after {
                    return Verdict::Down;
                }
                (self.failing, self.good) = (false, 0);
                verdict
            }
            Verdict::Up | Verdict::Slow => verdict,
        }
    }
}

impl Step {
    fn turn(&mut self, slot: Timestamp, at: Timestamp, status: Verdict) {
        if self.health.status == status {
            return;
        }
        (self.health.status, self.health.since, self.health.began) = (status, slot, at);
        self.changes.push(Change { at, status });
    }
}

#[cfg(test)]
mod tests;
