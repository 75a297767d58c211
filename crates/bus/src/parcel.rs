//! What travels as one between processes: messages that are packed into a parcel, and unpacked where it arrives.
//!
//! A parcel is a JSON array of the items that `encode` writes. Observations travel in company; anything else travels
//! by itself, but for checks, which are given in portions.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use gazer_domain::Region;
use gazer_wire::Unreadable;
use tokio::time::Instant;

use crate::message::{Message, Topic};
use crate::outbox::Fate;
use crate::queue::Queued;
use crate::seal::Seals;
use crate::{Bus, encode};

/// How much travels as one.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// A single item may be larger.
    pub bytes: usize,
    /// Checks that are given to one prober.
    pub checks: usize,
}

/// Messages that travel as one.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The same for each try, and never given to another.
    pub id: String,
    pub region: Region,
    /// JSON; cheap to clone.
    pub body: Bytes,
    pub messages: usize,
    /// When the first of them was published.
    pub since: Instant,
}

/// Packs what this process publishes, and unpacks what comes.
#[derive(Debug)]
pub struct Packer {
    /// Tells this process from others.
    name: String,
    home: Region,
    seals: Seals,
    size: Size,
    packed: AtomicU64,
}

impl Packer {
    /// What is of no region goes out from `home`.
    pub fn new(name: String, home: Region, seals: Seals, size: Size) -> Self {
        Self { name, home, seals, size, packed: AtomicU64::new(0) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn home(&self) -> &Region {
        &self.home
    }

    pub(crate) fn pack(&self, bus: &Bus, batch: Vec<Queued>) -> Vec<Parcel> {
        let mut parcels: Vec<Packing> = Vec::new();
        for Queued { message, published, .. } in batch {
            let (topic, region) = (message.topic(), region(&message).unwrap_or(&self.home));
            let items = encode::encode(&message, region, &self.seals, self.size.checks).unwrap_or_else(|err| {
                tracing::error!(topic = topic.as_str(), error = &err as &dyn std::error::Error, "not sent");
                Vec::new()
            });
            if items.is_empty() {
                bus.carried_off(topic, 1, Fate::Lost);
            }
            for (n, item) in items.into_iter().enumerate() {
                // Of what travels in portions, the first stands for the message.
                let messages = usize::from(n == 0);
                let fits =
                    |known: &&mut Packing| known.region == *region && known.body.len() + item.len() < self.size.bytes;
                match parcels.iter_mut().find(fits).filter(|_| topic == Topic::Observed) {
                    Some(parcel) => {
                        parcel.body.push(',');
                        parcel.body.push_str(&item);
                        parcel.messages += messages;
                    }
                    None => {
                        let body = format!("[{item}");
                        parcels.push(Packing { region: region.clone(), body, messages, since: published });
                    }
                }
            }
        }
        let closed = |Packing { region, body, messages, since }| Parcel {
            id: self.next_id(),
            region,
            body: Bytes::from(body + "]"),
            messages,
            since,
        };
        parcels.into_iter().map(closed).collect()
    }

    /// What came on a topic, and on a region's subject where the topic has such.
    pub fn unpack(&self, topic: Topic, region: &Region, body: &str) -> Result<Vec<Message>, Unreadable> {
        encode::decode(topic, region, body, &self.seals)
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.name, self.packed.fetch_add(1, Ordering::Relaxed))
    }
}

/// A parcel that is still open.
struct Packing {
    region: Region,
    body: String,
    messages: usize,
    since: Instant,
}

fn region(message: &Message) -> Option<&Region> {
    match message {
        Message::Check(batch) => Some(&batch.region),
        Message::Observed(seen) => Some(&seen.region),
        Message::Looked(look) => Some(&look.region),
        Message::Issue(report) => Some(&report.region),
        _ => None,
    }
}
