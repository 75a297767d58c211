//! Wakes the functions of this process: a worker per topic and per clock.
//!
//! Stopping happens in two steps: first the clocks stop, so nothing new is claimed or planned; then the queues are
//! drained, until nothing is left or the caller's patience ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Bus;
use crate::clock::Clock;
use crate::function::{Function, Wake, Woken};
use crate::hold::Hold;
use crate::message::{Message, Topic};
use crate::queue::{Queue, Queued};
use crate::receipt::Receipt;
use crate::registry::Registry;
use crate::role::Role;

/// A function that failed waits this long before its clock wakes it again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Whose turn it is, by role. A role that nobody shares is always ours.
#[derive(Debug, Clone, Default)]
pub struct Turns(HashMap<Role, Hold>);

impl Turns {
    pub fn share(&mut self, role: Role, hold: Hold) {
        self.0.insert(role, hold);
    }

    pub fn of(&self, role: Role) -> Hold {
        self.0.get(&role).cloned().unwrap_or_else(Hold::alone)
    }

    /// Of a function: only what the clock wakes is done by one process at a time.
    pub(crate) fn of_function(&self, function: &dyn Function) -> Hold {
        let is_clocks = function.wakes().iter().any(|wake| matches!(wake, Wake::Clock(_)));
        if is_clocks { self.of(function.role()) } else { Hold::alone() }
    }
}

/// The running workers.
#[derive(Debug)]
pub struct Running {
    bus: Bus,
    stop: watch::Sender<bool>,
    clocks: JoinSet<()>,
    workers: JoinSet<()>,
}

/// Starts a worker for each way a function is woken. What the clock wakes runs while it is our turn.
pub fn start(registry: &Registry, bus: &Bus, clock: &Arc<dyn Clock>, turns: &Turns) -> Running {
    let (stop, stopped) = watch::channel(false);
    let mut running = Running { bus: bus.clone(), stop, clocks: JoinSet::new(), workers: JoinSet::new() };
    for function in registry.functions() {
        let turn = turns.of_function(&**function);
        for wake in function.wakes() {
            let (registry, function, turn) = (registry.clone(), Arc::clone(function), turn.clone());
            match wake {
                Wake::Clock(every) => {
                    running.clocks.spawn(tick(registry, function, *every, Arc::clone(clock), turn, stopped.clone()));
                }
                Wake::Topic(topic) => {
                    let queue = Arc::clone(bus.queue(*topic));
                    running.workers.spawn(consume(registry, function, queue, bus.clone(), turn));
                }
            }
        }
    }
    running
}

impl Running {
    /// Stops planning and claiming at once, then waits until what is under way is settled, `patience` at most.
    pub async fn drain(mut self, patience: Duration) {
        self.bus.drain();
        let _ = self.stop.send(true);
        self.clocks.abort_all();
        while self.clocks.join_next().await.is_some() {}
        let settled = async {
            while !self.bus.is_idle() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(patience, settled).await.is_err() {
            tracing::warn!("stopped before everything under way was settled; leases bring it back");
        }
        self.workers.abort_all();
    }
}

async fn tick(
    registry: Registry,
    function: Arc<dyn Function>,
    every: Duration,
    clock: Arc<dyn Clock>,
    turn: Hold,
    mut stopped: watch::Receiver<bool>,
) {
    let mut at = clock.now();
    loop {
        if !turn.is_held() {
            turn.gained().await;
            at = clock.now();
        }
        let until = at + every;
        let failed = tokio::select! {
            ran = registry.dispatch(&function, Woken::Clock { at, until }) => ran.is_err(),
            () = turn.lost() => continue,
        };
        if !turn.is_held() {
            continue;
        }
        // A clock that was set back must not make us sleep until it is where it was.
        let left = until.since(clock.now()).min(every);
        let rest = if failed { AFTER_FAILURE } else { left };
        tokio::select! {
            () = clock.sleep(rest) => {}
            _ = stopped.changed() => return,
        }
        let now = clock.now();
        at = if until <= now { until.max(now - every) } else { now };
    }
}

async fn consume(registry: Registry, function: Arc<dyn Function>, queue: Arc<Queue>, bus: Bus, turn: Hold) {
    let intake = function.intake();
    let permits = Arc::new(Semaphore::new(intake.concurrency));
    let mut runs = JoinSet::new();
    loop {
        let first = queue.recv().await;
        let mut settled = Settled::begin(&bus, &first);
        let batch = gather(&queue, first, intake.most, tokio::time::sleep(intake.linger)).await;
        settled.messages = batch.len();
        let (batch, receipts) = unpacked(batch);
        settled.receipts = receipts;
        while runs.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (registry, function, turn) = (registry.clone(), Arc::clone(&function), turn.clone());
        runs.spawn(async move {
            // A bell of the clock's functions that rings out of their turn; where it is their turn, a poll hears of it.
            // A failure was logged by the registry; what it left undone here is a row, and the poll finds it.
            let is_done = turn.is_held() && registry.dispatch(&function, Woken::Messages(batch)).await.is_ok();
            settled.end(is_done);
            drop(permit);
        });
    }
}

/// A run, from its first message on. One that is broken off gives its messages to another process, where there is one.
struct Settled {
    bus: Bus,
    topic: Topic,
    published: Instant,
    messages: usize,
    receipts: Vec<Receipt>,
    is_done: bool,
}

impl Settled {
    fn begin(bus: &Bus, first: &Queued) -> Self {
        let (topic, published) = (first.message.topic(), first.published);
        bus.begin(topic, published);
        Self { bus: bus.clone(), topic, published, messages: 1, receipts: Vec::new(), is_done: false }
    }

    fn end(mut self, is_done: bool) {
        self.is_done = is_done;
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        if !self.is_done {
            self.receipts.iter().for_each(Receipt::refuse);
        }
        self.bus.end(self.topic, self.published, self.messages);
    }
}

fn unpacked(batch: Vec<Queued>) -> (Vec<Message>, Vec<Receipt>) {
    let mut receipts = Vec::new();
    let messages = batch.into_iter().map(|Queued { message, receipt, .. }| {
        receipts.extend(receipt);
        message
    });
    (messages.collect(), receipts)
}

/// One batch: whatever is there, and for calm messages whatever comes until `patience` ends.
pub(crate) async fn gather(
    queue: &Queue,
    first: Queued,
    most: usize,
    patience: impl Future<Output = ()>,
) -> Vec<Queued> {
    let mut urgent = first.message.is_urgent();
    let mut batch = vec![first];
    tokio::pin!(patience);
    while batch.len() < most {
        if urgent {
            let Some(next) = queue.try_recv() else { break };
            batch.push(next);
            continue;
        }
        tokio::select! {
            biased;
            next = queue.recv() => {
                urgent = next.message.is_urgent();
                batch.push(next);
            }
            () = &mut patience => break,
        }
    }
    batch
}
