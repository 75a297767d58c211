//! The shape of a background task.

use std::fmt;
use std::time::Duration;

use gazer_domain::Timestamp;

use crate::message::{Message, Topic};
use crate::role::Role;

/// What wakes a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    Topic(Topic),
    /// Every so often. The run that begins may stay up until the next is due.
    Clock(Duration),
}

#[derive(Debug)]
pub enum Woken {
    /// By the clock: the run's time is `[at, until)`. Where that is empty, it does what is due and returns.
    Clock { at: Timestamp, until: Timestamp },
    /// By messages of one topic, at least one.
    Messages(Vec<Message>),
}

/// How messages of a topic are handed over.
#[derive(Debug, Clone, Copy)]
pub struct Intake {
    /// Runs at the same time.
    pub concurrency: usize,
    /// Messages per run.
    pub most: usize,
    /// How long a message that is not urgent may wait for company.
    pub linger: Duration,
}

impl Intake {
    pub const ONE_BY_ONE: Self = Self { concurrency: 1, most: 1, linger: Duration::ZERO };
}

/// What a run did, shown to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    pub looked_at: u64,
    pub changed: u64,
    pub skipped: u64,
    /// Of a function of the clock: when something is due again, if that is known.
    pub next: Option<Timestamp>,
}

/// A run that failed: how, and whether waking it again may help.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Failure {
    pub doing: String,
    #[source]
    pub source: Box<dyn std::error::Error + std::marker::Send + Sync>,
}

impl Failure {
    pub fn new(doing: impl Into<String>, source: impl std::error::Error + std::marker::Send + Sync + 'static) -> Self {
        Self { doing: doing.into(), source: Box::new(source) }
    }
}

/// A background task. It must be idempotent: run twice, late or half way, it is harmless.
#[async_trait::async_trait]
pub trait Function: fmt::Debug + std::marker::Send + Sync {
    fn name(&self) -> &'static str;

    /// Which processes run it.
    fn role(&self) -> Role;

    fn wakes(&self) -> &[Wake];

    fn intake(&self) -> Intake {
        Intake::ONE_BY_ONE
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure>;
}
