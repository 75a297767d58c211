//! What this process publishes on one topic, for a driver that carries it to others.

use std::sync::Arc;

use crate::Bus;
use crate::message::Topic;
use crate::parcel::{Packer, Parcel};
use crate::queue::{Queue, Queued};
use crate::workers::gather;

#[derive(Debug, Clone)]
pub struct Outbox {
    bus: Bus,
    topic: Topic,
    queue: Arc<Queue>,
}

/// A message that was taken out, to be packed.
#[derive(Debug)]
pub struct First(Queued);

impl Outbox {
    pub(crate) fn new(bus: &Bus, topic: Topic) -> Option<Self> {
        let queue = Arc::clone(bus.outward(topic)?);
        Some(Self { bus: bus.clone(), topic, queue })
    }

    /// What goes next. Nothing is lost where the wait for it is broken off.
    pub async fn first(&self) -> First {
        First(self.queue.recv().await)
    }

    /// It and what goes with it, `most` messages. Calm ones wait for company until `patience` ends; bad news does not,
    /// and takes along what is there.
    pub async fn pack(
        &self,
        first: First,
        packer: &Packer,
        most: usize,
        patience: impl Future<Output = ()>,
    ) -> Vec<Parcel> {
        let batch = gather(&self.queue, first.0, most, patience).await;
        packer.pack(&self.bus, batch)
    }

    /// So many messages arrived, or were given up.
    pub fn carried(&self, messages: usize, arrived: bool) {
        if !arrived {
            self.bus.count_dropped(messages as u64);
        }
        self.bus.carried_off(self.topic, messages, arrived);
    }
}
