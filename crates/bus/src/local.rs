//! The driver for one machine: a bounded queue per topic, a worker per topic and per clock.
//!
//! A full queue drops what is flow (it is counted as missed, or its lease runs out), of whichever team has the most in
//! it, and ignores what is a bell (one is enough). Stopping happens in two steps: first the clocks stop, so nothing new
//! is claimed or planned; then the queues are drained, until nothing is left or the caller's patience ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::function::{Function, Intake, Wake, Woken};
use crate::hold::Hold;
use crate::message::{Changed, Message, Topic};
use crate::queue::Queue;
use crate::registry::Registry;

/// Twenty seconds of the reference load; what does not fit is dropped and counted.
const QUEUE: usize = 10_000;
/// Open pages that fall further behind than this load afresh.
const LIVE: usize = 256;
/// A function that failed waits this long before its clock wakes it again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Publishes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queues: HashMap<Topic, Arc<Queue>>,
    live: broadcast::Sender<Changed>,
    dropped: AtomicU64,
    /// Messages queued or being worked on, by topic.
    busy: HashMap<Topic, AtomicUsize>,
    /// When the first messages of the batches were published that are being worked on or gathered, by topic.
    in_hand: Mutex<HashMap<Topic, Vec<Instant>>>,
    draining: AtomicBool,
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    pub fn new() -> Self {
        let (live, _) = broadcast::channel(LIVE);
        let shared = Shared {
            queues: Topic::ALL.into_iter().map(|topic| (topic, Arc::new(Queue::new(QUEUE)))).collect(),
            live,
            dropped: AtomicU64::new(0),
            busy: Topic::ALL.into_iter().map(|topic| (topic, AtomicUsize::new(0))).collect(),
            in_hand: Mutex::default(),
            draining: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Hands a message on. Where the queue is full, one is dropped.
    pub fn publish(&self, message: Message) {
        let topic = message.topic();
        self.busy(topic).fetch_add(1, Ordering::SeqCst);
        if !self.queue(topic).push(message) {
            self.done(topic, 1);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells open pages.
    pub fn tell(&self, changed: Changed) {
        // Nobody may be looking, and that is no error.
        let _ = self.shared.live.send(changed);
    }

    /// Where [`Self::tell`] is heard, and others may tell as well.
    pub fn live(&self) -> broadcast::Sender<Changed> {
        self.shared.live.clone()
    }

    pub fn listen(&self) -> broadcast::Receiver<Changed> {
        self.shared.live.subscribe()
    }

    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// While this holds nothing new is claimed: what is in flight settles, and the rest waits for the next start.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::SeqCst)
    }

    /// Takes what waits on every topic, in no order between topics: for a driver other than [`start`].
    pub fn take_waiting(&self) -> Vec<Message> {
        let mut waiting = Vec::new();
        for topic in Topic::ALL {
            while let Some((_, message)) = self.queue(topic).try_recv() {
                self.done(topic, 1);
                waiting.push(message);
            }
        }
        waiting
    }

    /// Messages of this topic that are queued or being worked on.
    pub fn pending(&self, topic: Topic) -> usize {
        self.busy(topic).load(Ordering::SeqCst)
    }

    /// How long ago the oldest message was published that is still being worked on.
    pub fn lag(&self, topic: Topic) -> Duration {
        let in_hand = self.shared.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        in_hand.get(&topic).and_then(|begun| begun.iter().min()).map_or(Duration::ZERO, Instant::elapsed)
    }

    fn busy(&self, topic: Topic) -> &AtomicUsize {
        self.shared.busy.get(&topic).expect("every topic is counted")
    }

    fn done(&self, topic: Topic, messages: usize) {
        self.busy(topic).fetch_sub(messages, Ordering::SeqCst);
    }

    fn is_idle(&self) -> bool {
        Topic::ALL.into_iter().all(|topic| self.pending(topic) == 0)
    }

    fn queue(&self, topic: Topic) -> &Arc<Queue> {
        self.shared.queues.get(&topic).expect("every topic has its queue")
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
pub fn start(registry: &Registry, bus: &Bus, clock: &Arc<dyn Clock>, hold: &Hold) -> Running {
    let (stop, stopped) = watch::channel(false);
    let mut running = Running { bus: bus.clone(), stop, clocks: JoinSet::new(), workers: JoinSet::new() };
    for function in registry.functions() {
        let is_clocks = function.wakes().iter().any(|wake| matches!(wake, Wake::Clock(_)));
        let turn = if is_clocks { hold.clone() } else { Hold::alone() };
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
        self.bus.shared.draining.store(true, Ordering::SeqCst);
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
        let (published, first) = queue.recv().await;
        // From here on its age counts, also while it waits for company and for its turn.
        let mut settled = Settled::begin(&bus, first.topic(), published);
        let batch = gather(&queue, first, intake).await;
        settled.messages = batch.len();
        while runs.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (registry, function, turn) = (registry.clone(), Arc::clone(&function), turn.clone());
        runs.spawn(async move {
            let _settled = settled;
            // A bell of the clock's functions that rings out of their turn; where it is their turn, a poll hears of it.
            if !turn.is_held() {
                return;
            }
            // The registry logged a failure; what it left undone is a row, and the poll finds it.
            let _ = registry.dispatch(&function, Woken::Messages(batch)).await;
            drop(permit);
        });
    }
}

/// A run, from its first message on; its messages count as done also where it panics.
struct Settled {
    bus: Bus,
    topic: Topic,
    published: Instant,
    messages: usize,
}

impl Settled {
    fn begin(bus: &Bus, topic: Topic, published: Instant) -> Self {
        let mut in_hand = bus.shared.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        in_hand.entry(topic).or_default().push(published);
        Self { bus: bus.clone(), topic, published, messages: 1 }
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        let mut in_hand = self.bus.shared.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = in_hand.entry(self.topic).or_default();
        if let Some(run) = runs.iter().position(|published| *published == self.published) {
            runs.swap_remove(run);
        }
        drop(in_hand);
        self.bus.done(self.topic, self.messages);
    }
}

/// One batch: whatever is there, and for calm messages whatever comes while they linger.
async fn gather(queue: &Queue, first: Message, intake: Intake) -> Vec<Message> {
    let mut urgent = first.is_urgent();
    let mut batch = vec![first];
    let patience = tokio::time::sleep(intake.linger);
    tokio::pin!(patience);
    while batch.len() < intake.most {
        if urgent {
            let Some((_, next)) = queue.try_recv() else { break };
            batch.push(next);
            continue;
        }
        tokio::select! {
            biased;
            (_, next) = queue.recv() => {
                urgent = next.is_urgent();
                batch.push(next);
            }
            () = &mut patience => break,
        }
    }
    batch
}
