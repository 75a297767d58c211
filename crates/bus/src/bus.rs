//! Where messages are published, and where they wait: a bounded queue per topic.
//!
//! A full queue drops what is flow (it is counted as missed, or its lease runs out), of whichever team has the most in
//! it, and ignores what is a bell (one is enough). Where there are other processes, what is published waits in a second
//! queue for the driver that carries it to them, and comes back from there to whoever has the role.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::live::Live;
use crate::lock;
use crate::message::{Changed, Message, Topic};
use crate::outbox::{Fate, Outbox};
use crate::queue::{Queue, Queued};
use crate::receipt::Receipt;

/// Twenty seconds of the reference load; what does not fit is dropped and counted.
const QUEUE: usize = 10_000;

/// Publishes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// What waits for this process.
    inward: Lanes,
    /// What waits to be carried to all processes; `None` where there is one.
    outward: Option<Lanes>,
    live: Live,
    dropped: AtomicU64,
    /// When the first messages of the batches were published that are being worked on or gathered, by topic.
    in_hand: Mutex<HashMap<Topic, Vec<Instant>>>,
    /// What the driver knows of other processes, by topic.
    elsewhere: Mutex<HashMap<Topic, Elsewhere>>,
    /// When the driver last lost what it carried, and how often it did.
    lost: Mutex<Option<Loss>>,
    draining: AtomicBool,
    /// Something was carried to all processes, or given up.
    carried: Notify,
}

/// Everything that was on its way was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Counts from 1.
    pub number: u64,
    /// What was published before this.
    pub before: Instant,
    /// Since when messages are carried again.
    pub until: Instant,
}

/// What waits or is being worked on in all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Elsewhere {
    pub(crate) messages: usize,
    pub(crate) oldest: Duration,
}

/// A queue for each topic, with the number of messages that wait there or are being worked on.
#[derive(Debug)]
struct Lanes(HashMap<Topic, Lane>);

#[derive(Debug)]
struct Lane {
    queue: Arc<Queue>,
    busy: AtomicUsize,
}

impl Lanes {
    fn new() -> Self {
        let lane = || Lane { queue: Arc::new(Queue::new(QUEUE)), busy: AtomicUsize::new(0) };
        Self(Topic::ALL.into_iter().map(|topic| (topic, lane())).collect())
    }

    fn of(&self, topic: Topic) -> &Lane {
        self.0.get(&topic).expect("every topic has its lane")
    }

    fn busy(&self, topic: Topic) -> usize {
        self.of(topic).busy.load(Ordering::SeqCst)
    }

    fn is_idle(&self) -> bool {
        Topic::ALL.into_iter().all(|topic| self.busy(topic) == 0)
    }

    /// False where one had to be dropped.
    fn push(&self, queued: Queued) -> bool {
        let lane = self.of(queued.message.topic());
        lane.busy.fetch_add(1, Ordering::SeqCst);
        let taken = lane.queue.push(queued);
        if !taken {
            lane.busy.fetch_sub(1, Ordering::SeqCst);
        }
        taken
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    /// For one process: what is published is handed on as it is.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// For several: a driver has to carry what is published.
    pub fn carried() -> Self {
        Self::with(Some(Lanes::new()))
    }

    fn with(outward: Option<Lanes>) -> Self {
        let shared = Shared {
            inward: Lanes::new(),
            outward,
            live: Live::default(),
            dropped: AtomicU64::new(0),
            in_hand: Mutex::default(),
            elsewhere: Mutex::default(),
            lost: Mutex::default(),
            draining: AtomicBool::new(false),
            carried: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Hands a message on. Where the queue is full, one is dropped.
    pub fn publish(&self, message: Message) {
        let lanes = self.shared.outward.as_ref().unwrap_or(&self.shared.inward);
        self.count(lanes.push(Queued::new(message)));
    }

    /// Takes what another process published.
    pub(crate) fn take_in(&self, message: Message, receipt: Receipt) {
        self.count(self.shared.inward.push(Queued { receipt: Some(receipt), ..Queued::new(message) }));
    }

    fn count(&self, taken: bool) {
        self.count_dropped(u64::from(!taken));
    }

    pub(crate) fn count_dropped(&self, messages: u64) {
        self.shared.dropped.fetch_add(messages, Ordering::Relaxed);
    }

    /// Tells open pages.
    pub fn tell(&self, changed: Changed) {
        self.shared.live.tell(changed);
    }

    /// Where [`Self::tell`] is heard, and others may tell as well.
    pub fn live(&self) -> Live {
        self.shared.live.clone()
    }

    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// While this holds nothing new is claimed: what is in flight settles, and the rest waits for the next start.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::SeqCst)
    }

    pub(crate) fn drain(&self) {
        self.shared.draining.store(true, Ordering::SeqCst);
    }

    /// Takes what waits on every topic, in no order between topics: for a driver other than [`crate::workers::start`].
    pub fn take_waiting(&self) -> Vec<Message> {
        let mut waiting = Vec::new();
        for topic in Topic::ALL {
            while let Some(queued) = self.queue(topic).try_recv() {
                self.done(topic, 1);
                waiting.push(queued.message);
            }
        }
        waiting
    }

    /// Messages of this topic that are queued or being worked on.
    pub fn pending(&self, topic: Topic) -> usize {
        let outward = self.shared.outward.as_ref().map_or(0, |lanes| lanes.busy(topic));
        let here = outward + self.shared.inward.busy(topic);
        here.max(outward + self.elsewhere(topic).messages)
    }

    /// How long ago the oldest message was published that is still being worked on.
    pub fn lag(&self, topic: Topic) -> Duration {
        let in_hand = lock(&self.shared.in_hand);
        let here = in_hand.get(&topic).and_then(|begun| begun.iter().min()).map_or(Duration::ZERO, Instant::elapsed);
        here.max(self.elsewhere(topic).oldest)
    }

    fn elsewhere(&self, topic: Topic) -> Elsewhere {
        let known = lock(&self.shared.elsewhere);
        known.get(&topic).copied().unwrap_or_default()
    }

    pub(crate) fn know(&self, topic: Topic, elsewhere: Elsewhere) {
        let mut known = lock(&self.shared.elsewhere);
        known.insert(topic, elsewhere);
    }

    /// The last time at which everything was lost that was on its way between processes, if it ever was.
    pub fn last_loss(&self) -> Option<Loss> {
        *lock(&self.shared.lost)
    }

    pub(crate) fn lose(&self, before: Instant) {
        let mut lost = lock(&self.shared.lost);
        let number = lost.map_or(0, |loss| loss.number) + 1;
        *lost = Some(Loss { number, before, until: Instant::now() });
    }

    /// From here on the age of a batch counts, also while it waits for company and for its turn.
    pub(crate) fn begin(&self, topic: Topic, published: Instant) {
        let mut in_hand = lock(&self.shared.in_hand);
        in_hand.entry(topic).or_default().push(published);
    }

    pub(crate) fn end(&self, topic: Topic, published: Instant, messages: usize) {
        let mut in_hand = lock(&self.shared.in_hand);
        let runs = in_hand.entry(topic).or_default();
        if let Some(run) = runs.iter().position(|begun| *begun == published) {
            runs.swap_remove(run);
        }
        drop(in_hand);
        self.done(topic, messages);
    }

    fn done(&self, topic: Topic, messages: usize) {
        self.shared.inward.of(topic).busy.fetch_sub(messages, Ordering::SeqCst);
    }

    /// These are here no more.
    pub(crate) fn carried_off(&self, topic: Topic, messages: usize, fate: Fate) {
        let Some(outward) = &self.shared.outward else { return };
        if fate == Fate::Queued {
            let mut known = lock(&self.shared.elsewhere);
            known.entry(topic).or_default().messages += messages;
        }
        outward.of(topic).busy.fetch_sub(messages, Ordering::SeqCst);
        self.shared.carried.notify_waiters();
    }

    /// Until nothing waits to be carried to other processes.
    pub async fn all_carried(&self) {
        let Some(outward) = &self.shared.outward else { return };
        loop {
            // Interest is registered before looking, so that no arrival is missed.
            let mut carried = std::pin::pin!(self.shared.carried.notified());
            carried.as_mut().enable();
            if outward.is_idle() {
                return;
            }
            carried.await;
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.shared.inward.is_idle() && self.shared.outward.as_ref().is_none_or(Lanes::is_idle)
    }

    pub(crate) fn queue(&self, topic: Topic) -> &Arc<Queue> {
        &self.shared.inward.of(topic).queue
    }

    /// What is to be carried, for a driver; `None` where there is nobody else.
    pub fn outbox(&self, topic: Topic) -> Option<Outbox> {
        Outbox::new(self, topic)
    }

    /// Its queue.
    pub(crate) fn outward(&self, topic: Topic) -> Option<&Arc<Queue>> {
        self.shared.outward.as_ref().map(|lanes| &lanes.of(topic).queue)
    }
}
