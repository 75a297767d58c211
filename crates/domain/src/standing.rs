//! How a monitor stands: its status as the aggregate of its regions.
//!
//! Only regions that reported count. Down in as many of them as the quorum asks for is `down`, at once. Down in fewer
//! is `regional`, and that is a comparison of regions, so it waits until they can be compared: every region checks at
//! the same slots, and while one that counts has not reported on the slot of the newest news, its vote is older than
//! what it is compared with. Otherwise every outage would begin, and end, with a false `regional`: no two regions see
//! it in the same millisecond. Meanwhile the status stays as it was.
//!
//! Nobody is waited for for ever. The audit folds the gap of a region that fell silent, its status is `unknown`, and it
//! counts no more. A region that was only just asked counts as one that is still to vote, so that the first to report
//! does not decide alone.

use crate::Timestamp;
use crate::health::{Health, Step};
use crate::period::{Change, Status};
use crate::quorum::Quorum;
use crate::verdict::Verdict;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In an order that the caller knows.
    pub regions: Vec<Health>,
    pub quorum: Quorum,
    pub status: Status,
}

impl Standing {
    /// Takes in what folding a check led to in one of the regions. In order of time, how the monitor's status changes:
    /// at most by a gap of ours and by what the check found.
    pub fn take(&mut self, region: usize, step: &Step) -> Vec<Change> {
        let (waited, mut changes) = (self.waits(), Vec::new());
        let Some(known) = self.regions.get_mut(region) else { return changes };
        // What this region saw comes at once, so its gap is no reason to turn to what the others say meanwhile.
        if let [gap, _] = step.changes[..] {
            (known.status, known.since, known.began, known.slot) = (gap.status, gap.at, gap.at, gap.at);
            if newest(&self.regions).is_none() {
                changes.extend(self.turn(Status::Unknown, gap.at));
            }
        }
        let changed = step.changes.last().map(|change| change.at);
        changes.extend(self.put(&[(region, step.health)], changed, waited));
        changes
    }

    /// Takes in the gaps that the audit folded in some of the regions, all at once: of several that fell silent none
    /// is compared with another.
    pub fn lapse(&mut self, gaps: &[(usize, Step)]) -> Option<Change> {
        let changed = gaps.iter().flat_map(|(_, step)| &step.changes).map(|change| change.at).max();
        let healths: Vec<_> = gaps.iter().map(|(region, step)| (*region, step.health)).collect();
        self.put(&healths, changed, self.waits())
    }

    /// Whether the regions cannot be compared yet.
    fn waits(&self) -> bool {
        tally(&self.regions, self.quorum).is_none()
    }

    /// `changed` is when the status of one of them changed, if it did; `waited` is whether this was waited for.
    fn put(&mut self, healths: &[(usize, Health)], changed: Option<Timestamp>, waited: bool) -> Option<Change> {
        for (region, health) in healths {
            if let Some(known) = self.regions.get_mut(*region) {
                *known = *health;
            }
        }
        let status = tally(&self.regions, self.quorum)?;
        let at = match (changed, self.told(status)) {
            (Some(at), told) => told.map_or(at, |told| told.max(at)),
            (None, Some(told)) if waited => told,
            // The regions or the quorum are others by now, and this check is the first to see it.
            (None, _) => healths.iter().map(|(_, health)| health.slot).max()?,
        };
        self.turn(status, at)
    }

    fn turn(&mut self, status: Status, at: Timestamp) -> Option<Change> {
        let differs = status != self.status;
        self.status = status;
        differs.then_some(Change { at, status })
    }

    /// From when on the regions saw so: as many as the quorum asks for, or each that has a vote.
    fn told(&self, status: Status) -> Option<Timestamp> {
        match status {
            Status::Down => {
                let down = self.regions.iter().filter(|health| health.status == Verdict::Down);
                let mut began: Vec<_> = down.map(|health| health.began).collect();
                began.sort_unstable();
                let needed = self.quorum.needed(counting(&self.regions).count());
                began.get(needed - 1).copied()
            }
            Status::Up | Status::Slow | Status::Regional => reported(&self.regions).map(|health| health.began).max(),
            Status::Unknown | Status::Paused => None,
        }
    }
}

/// Regions that have a vote, or are still to give their first one.
fn counting(regions: &[Health]) -> impl Iterator<Item = &Health> {
    regions.iter().filter(|health| health.status != Verdict::Unknown || health.is_fresh())
}

fn reported(regions: &[Health]) -> impl Iterator<Item = &Health> {
    regions.iter().filter(|health| health.status != Verdict::Unknown)
}

/// The slot of the newest news among those that reported.
fn newest(regions: &[Health]) -> Option<Timestamp> {
    reported(regions).map(|health| health.since).max()
}

/// The monitor's status from its regions; `None` where it has to wait for one of them.
fn tally(regions: &[Health], quorum: Quorum) -> Option<Status> {
    let Some(news) = newest(regions) else { return Some(Status::Unknown) };
    let count = |of: &dyn Fn(&Health) -> bool| counting(regions).filter(|health| of(health)).count();
    let is_down = |health: &Health| health.status == Verdict::Down;
    let down = count(&is_down);
    if down == 0 {
        let is_slow = count(&|health| health.status == Verdict::Slow) > 0;
        return Some(if is_slow { Status::Slow } else { Status::Up });
    }
    let needed = quorum.needed(counting(regions).count());
    if down >= needed {
        return Some(Status::Down);
    }
    let is_behind = |health: &Health| health.is_fresh() || health.covered <= news;
    let may_turn_down = count(&|health| is_behind(health) && !is_down(health));
    let may_recover = count(&|health| is_behind(health) && is_down(health));
    let is_settled = down + may_turn_down < needed && may_recover < down;
    is_settled.then_some(Status::Regional)
}

#[cfg(test)]
mod tests;
