//! The memory that the bodies of all concurrent checks share.
//!
//! A body has a small share first, and a wider one only as it grows, so a site that drips holds little. Nobody waits for
//! memory while holding what the one who has it waits for: each step has a pool of its own, whoever is on it needs only
//! higher ones, and whoever has reached the top waits for its site alone.
//!
//! What looks into bodies has the last part: few searches run at once, and each may allocate so much.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::super::json::PARSED_BYTES;
use super::{BODY_BYTES, EXCERPT_BYTES};

/// Unit of the small shares.
const SMALL_UNIT: usize = 1_024;
/// How wide a share is on each step after the small one.
const STEPS: [usize; 3] = [64 * 1024, 256 * 1024, BODY_BYTES];

#[derive(Debug)]
pub(crate) struct Budget {
    small: Semaphore,
    steps: [Semaphore; 3],
    looks: Arc<Semaphore>,
}

/// What one body holds.
#[derive(Debug, Default)]
pub(crate) struct Share<'m> {
    _small: Option<SemaphorePermit<'m>>,
    steps: Vec<SemaphorePermit<'m>>,
}

impl Budget {
    /// A quarter for small shares, a half for what goes beyond, a quarter for looking; at least one of each.
    pub(crate) fn new(bytes: usize) -> Self {
        let part = bytes / 8;
        let step = |pool: usize, wide: usize| Semaphore::new((pool / wide).max(1));
        Self {
            small: Semaphore::new((2 * part / SMALL_UNIT).max(EXCERPT_BYTES / SMALL_UNIT)),
            steps: [
                step(part, STEPS[0] - EXCERPT_BYTES),
                step(part, STEPS[1] - STEPS[0]),
                step(2 * part, STEPS[2] - STEPS[1]),
            ],
            looks: Arc::new(Semaphore::new((2 * part / PARSED_BYTES).max(1))),
        }
    }

    /// For a body of at most `upper` bytes, where that is known, or for the start of a longer one.
    pub(crate) async fn small(&self, upper: Option<u64>) -> Share<'_> {
        let most = upper.map_or(EXCERPT_BYTES, |upper| upper.min(EXCERPT_BYTES as u64) as usize);
        let units = most.div_ceil(SMALL_UNIT).max(1) as u32;
        let small = self.small.acquire_many(units).await.expect("the budget is never closed");
        Share { _small: Some(small), steps: Vec::new() }
    }

    /// Widens a share until it holds `bytes`.
    pub(crate) async fn widen<'m>(&'m self, share: &mut Share<'m>, bytes: usize) {
        while !share.holds(bytes) {
            let step = &self.steps[share.steps.len()];
            share.steps.push(step.acquire().await.expect("the budget is never closed"));
        }
    }

    /// A place for one that looks into a body.
    pub(crate) async fn look(&self) -> OwnedSemaphorePermit {
        self.looks.clone().acquire_owned().await.expect("the budget is never closed")
    }
}

impl Share<'_> {
    /// True at the top in any case: no body is longer.
    pub(crate) fn holds(&self, bytes: usize) -> bool {
        let wide = self.steps.len().checked_sub(1).map_or(EXCERPT_BYTES, |last| STEPS[last]);
        bytes <= wide || self.steps.len() == STEPS.len()
    }
}
