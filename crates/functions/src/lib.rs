//! The background tasks, one file each, and the one table that registers them.
//!
//! `check` and `send` touch the outside world and need no database; `plan`, `judge`, `deliver` and the rest touch the
//! database and never call out, but for `canary`, which asks whether all of this works. Each is harmless when it runs twice, late or half way; its own file says why.

mod audit;
mod canary;
mod check;
mod deliver;
mod epochs;
mod escalate;
mod expire;
mod issue;
mod judge;
mod look;
mod patience;
mod places;
mod plan;
mod schedule;
mod send;
mod starved;
#[cfg(test)]
#[path = "../tests/it/trial.rs"]
mod trial;

// What tests inside and outside share names us from outside.
#[cfg(test)]
extern crate self as gazer_functions;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gazer_bus::{Bus, Clock, Function, Hold, Registry, Role};
use gazer_channels::Channels;
use gazer_domain::Region;
use gazer_probes::Prober;
use gazer_store::Store;

pub use canary::Lookout;
pub use plan::CLOCK;

/// What functions are made of that need no database.
#[derive(Clone)]
pub struct Outside {
    pub bus: Bus,
    pub clock: Arc<dyn Clock>,
    pub prober: Prober,
    pub channels: Arc<Channels>,
    /// Where this process probes from.
    pub region: Region,
    /// Tells it from other processes.
    pub name: String,
    /// `None` where whoever plans can look for itself.
    pub says: Option<Says>,
    /// Checks under way at a time, of all teams together.
    pub checks: usize,
}

/// How a prober says what it sees of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Says {
    pub every: Duration,
    /// Whether somebody folds what all probers say. Where nobody does, what one finds is an error of ours, and told as
    /// such.
    pub is_heard: bool,
}

/// What the others are made of.
#[derive(Clone)]
pub struct Parts {
    pub store: Store,
    pub bus: Bus,
    pub clock: Arc<dyn Clock>,
    /// Whether it is our turn to plan.
    pub hold: Hold,
    pub prober: Prober,
    pub channels: Arc<Channels>,
    /// Fills a buffer with randomness that nobody can guess.
    pub random: fn(&mut [u8]),
    /// How long single checks are kept.
    pub retention: Duration,
    /// Whether the turn of the clock goes on to another process every minute, so that word is left for it.
    pub hands_on: bool,
    /// Whether this region sees, and whom to tell.
    pub lookout: Arc<Lookout>,
}

/// How many checks may be under way with this many descriptors: half of them, for a check needs one or two, and the
/// site, the store and messages need theirs.
pub fn checks_within(descriptors: u64) -> usize {
    usize::try_from(descriptors / 2).unwrap_or(check::IN_FLIGHT).clamp(1, check::IN_FLIGHT)
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("region", &self.region).finish_non_exhaustive()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("retention", &self.retention).finish_non_exhaustive()
    }
}

/// The table: every function there is, and what wakes it. Without a database there are those that need none.
pub fn registry(outside: &Outside, parts: Option<&Parts>) -> Registry {
    let mut functions: Vec<Arc<dyn Function>> =
        vec![Arc::new(check::Check::new(outside)), Arc::new(send::Send::new(outside))];
    functions.extend(outside.says.map(|says| Arc::new(look::Look::new(outside, says)) as Arc<dyn Function>));
    if let Some(parts) = parts {
        functions.extend([
            Arc::new(plan::Plan::new(parts)) as Arc<dyn Function>,
            Arc::new(judge::Judge::new(parts)),
            Arc::new(deliver::Deliver::new(parts)),
            Arc::new(deliver::Claim::new(parts)),
            Arc::new(escalate::Escalate::new(parts)),
            Arc::new(audit::Audit::new(parts)),
            Arc::new(expire::Expire::new(parts)),
            Arc::new(canary::Canary::new(parts)),
            Arc::new(issue::Issue::new(parts)),
            Arc::new(issue::Inform::new(parts)),
        ]);
    }
    Registry::new(functions)
}

/// Every function by its name, with its role: for whoever has to say what a process does before there are functions.
pub const NAMES: [(&str, Role); 13] = [
    ("check", Role::Check),
    ("send", Role::Send),
    ("look", Role::Check),
    ("plan", Role::Plan),
    ("judge", Role::Judge),
    ("deliver", Role::Deliver),
    ("settle", Role::Deliver),
    ("escalate", Role::Plan),
    ("audit", Role::Plan),
    ("expire", Role::Plan),
    ("canary", Role::Plan),
    ("issue", Role::Plan),
    ("inform", Role::Plan),
];

/// What a thread that panicked left is whole: nothing here is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id<K>(parts: &Parts) -> gazer_domain::id::Id<K> {
    let mut random = [0; 10];
    (parts.random)(&mut random);
    gazer_domain::id::Id::new(parts.clock.now(), random)
}

/// A number between 0 and 1, for back-off.
fn jitter(parts: &Parts) -> f64 {
    let mut random = [0; 4];
    (parts.random)(&mut random);
    f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn checks_take_half_of_the_descriptors_at_most() {
        assert_eq!([0, 256, 1_024, 1_048_576].map(super::checks_within), [1, 128, 512, 4_000]);
    }
}
