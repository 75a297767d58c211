//! The promise to say what became of a message that another process published.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What becomes of a message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Somebody should have it again.
    Again,
}

/// Given back by its last holder: several messages may have come in one.
#[derive(Debug, Clone)]
pub(crate) struct Receipt(Arc<Held>);

struct Held {
    again: AtomicBool,
    give_back: Box<dyn Fn(Outcome) + Send + Sync>,
}

impl Receipt {
    pub(crate) fn new(give_back: impl Fn(Outcome) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Held { again: AtomicBool::new(false), give_back: Box::new(give_back) }))
    }

    /// What came with it was not done.
    pub(crate) fn refuse(&self) {
        self.0.again.store(true, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let outcome = if *self.again.get_mut() { Outcome::Again } else { Outcome::Done };
        (self.give_back)(outcome);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("again", &self.again).finish_non_exhaustive()
    }
}
