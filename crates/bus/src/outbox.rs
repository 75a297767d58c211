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

/// What became of messages that were to be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They wait with the driver, which tells from time to time what waits there.
    Queued,
    /// Somebody works on them already: they wait for nobody.
    Begun,
    Lost,
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

    /// What became of so many messages.
    pub fn carried(&self, messages: usize, fate: Fate) {
        if fate == Fate::Lost {
            self.bus.count_dropped(messages as u64);
        }
        self.bus.carried_off(self.topic, messages, fate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[tokio::test]
    async fn only_what_waits_with_the_driver_keeps_others_back() {
        let bus = Bus::carried();
        let outbox = bus.outbox(Topic::Deliver).unwrap();
        for (fate, pending) in [(Fate::Begun, 0), (Fate::Lost, 0), (Fate::Queued, 1), (Fate::Begun, 1)] {
            bus.publish(Message::Deliver);
            outbox.first().await;
            outbox.carried(1, fate);
            assert_eq!(bus.pending(Topic::Deliver), pending, "{fate:?}");
        }
        assert_eq!(bus.dropped(), 1);
    }
}
