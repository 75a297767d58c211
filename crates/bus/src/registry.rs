//! The one table of functions. Local workers, tests and every later deployment dispatch through it.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;

use crate::Wake;
use crate::function::{Failure, Function, Report, Woken};
use crate::message::Topic;
use crate::role::Role;

tokio::task_local! {
    static RUNNING: &'static str;
}

/// The function that what happens here and now is part of, if it is part of any.
pub fn running() -> Option<&'static str> {
    RUNNING.try_with(|name| *name).ok()
}

#[derive(Debug, Clone)]
pub struct Registry {
    functions: Vec<Arc<dyn Function>>,
    /// In the order of the functions.
    tallies: Arc<[Tally]>,
}

/// What a function's runs came to since the start.
#[derive(Debug, Default)]
pub struct Tally {
    runs: AtomicU64,
    failures: AtomicU64,
    looked_at: AtomicU64,
    changed: AtomicU64,
    skipped: AtomicU64,
}

impl Tally {
    /// By the name that the operator's page and the metrics give each.
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("runs", read(&self.runs)),
            ("failures", read(&self.failures)),
            ("looked_at", read(&self.looked_at)),
            ("changed", read(&self.changed)),
            ("skipped", read(&self.skipped)),
        ]
    }

    fn note(&self, outcome: &Result<Report, Failure>) {
        let add = |count: &AtomicU64, more: u64| count.fetch_add(more, Ordering::Relaxed);
        add(&self.runs, 1);
        match outcome {
            Ok(report) => {
                add(&self.looked_at, report.looked_at);
                add(&self.changed, report.changed);
                add(&self.skipped, report.skipped);
            }
            Err(_) => {
                add(&self.failures, 1);
            }
        }
    }
}

impl Registry {
    pub fn new(functions: Vec<Arc<dyn Function>>) -> Self {
        let tallies = functions.iter().map(|_| Tally::default()).collect();
        Self { functions, tallies }
    }

    /// Only what these roles do.
    #[must_use]
    pub fn of(self, roles: &[Role]) -> Self {
        Self::new(self.functions.into_iter().filter(|function| roles.contains(&function.role())).collect())
    }

    /// Each function's name with its tally.
    pub fn tallies(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        self.functions.iter().map(|function| function.name()).zip(self.tallies.iter())
    }

    pub fn functions(&self) -> &[Arc<dyn Function>] {
        &self.functions
    }

    /// The one function that consumes a topic.
    pub fn consumer(&self, topic: Topic) -> Option<&Arc<dyn Function>> {
        self.functions.iter().find(|function| function.wakes().contains(&Wake::Topic(topic)))
    }

    /// Runs a function by name, as a clock, a queue or a Lambda would. A failure is logged here, once, with its causes;
    /// a panic was, where it arose.
    pub async fn dispatch(&self, function: &Arc<dyn Function>, woken: Woken) -> Result<Report, Failure> {
        let run = AssertUnwindSafe(function.run(woken)).catch_unwind();
        let outcome =
            RUNNING.scope(function.name(), run).await.unwrap_or_else(|_| Err(Failure::new("run to its end", Panicked)));
        if let Some(at) = self.functions.iter().position(|known| known.name() == function.name()) {
            self.tallies[at].note(&outcome);
        }
        if let Err(failure) = &outcome {
            let (function, doing) = (function.name(), &failure.doing);
            let error: &(dyn Error + 'static) = &*failure.source;
            if error.is::<Panicked>() {
                tracing::warn!(function, error, "{doing}");
            } else {
                tracing::error!(function, error, "{doing}");
            }
        }
        outcome
    }
}

/// A bug of ours ends one run, never the loop that wakes the function.
#[derive(Debug, thiserror::Error)]
#[error("it panicked; the panic's own message is above")]
struct Panicked;
