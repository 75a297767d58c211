//! Carries what this process publishes to the server, and does not let go of it before it is there.
//!
//! What was seen travels in company, and what is bad news does not wait for it. A message that was published and whose
//! acknowledgement was lost is published again under its id, by which the server knows it. So are, after each loss of
//! the connection, the messages of the last moments before it: the server may have come back without them. A delivery
//! is not among them, for it could be sent twice; whoever claimed it finds out ([`crate::Bus::last_loss`]).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use gazer_domain::Region;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::streams::{kept, subject};
use super::{Link, RECONNECT, encode};
use crate::function::Intake;
use crate::message::{Message, Topic};
use crate::queue::Queued;
use crate::workers::gather;
use crate::{Bus, lock};

/// Good news waits so long for company on the way to the judge, which lets it wait for longer.
const LINGER: Duration = Duration::from_millis(50);
const COMPANY: usize = 200;
/// Well below the mebibyte that a server takes.
const BYTES: usize = 256 * 1024;
/// Messages of a topic that are on their way at the same time.
const AT_ONCE: usize = 32;

pub(super) async fn carry(link: Arc<Link>, bus: Bus, topic: Topic) {
    let Some(queue) = bus.outward(topic).cloned() else { return };
    let most = if topic == Topic::Observed { COMPANY } else { 1 };
    let intake = Intake { concurrency: AT_ONCE, most, linger: LINGER };
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut on_the_way = JoinSet::new();
    let mut regions = HashSet::new();
    let mut recent = VecDeque::new();
    let mut connection = link.ready().await;
    loop {
        let parcels = tokio::select! {
            first = queue.recv() => {
                let batch = gather(&queue, first, intake).await;
                packed(&link, &bus, batch)
            }
            () = link.outlived(connection) => {
                connection = link.ready().await;
                // The server may have forgotten who consumes what.
                regions.clear();
                let lost = lock(&link.gone).unwrap_or_else(Instant::now);
                forget(&mut recent, topic, lost);
                std::mem::take(&mut recent).into()
            }
        };
        while on_the_way.try_join_next().is_some() {}
        for parcel in parcels {
            if topic == Topic::Check && link.is_house && !regions.contains(&parcel.region) {
                // Else it waits in the stream until its region has a consumer.
                if link.make_region(&parcel.region).await {
                    regions.insert(parcel.region.clone());
                }
            }
            remember(&mut recent, topic, &parcel);
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            on_the_way.spawn(deliver(Arc::clone(&link), bus.clone(), topic, parcel, permit));
        }
    }
}

/// How long before a loss of the connection a message may have been published that is published again after it.
const fn recent_enough(topic: Topic) -> Duration {
    match topic {
        // Probers take what is due at once, and nobody wants to be asked twice.
        Topic::Check => Duration::from_millis(500),
        // The judge waits for company, and for its database.
        Topic::Observed | Topic::Sent => Duration::from_secs(5),
        // It could be sent twice. Bells are polled for, and looks are taken again.
        Topic::Send | Topic::Plan | Topic::Deliver | Topic::Looked => Duration::ZERO,
    }
}

fn remember(recent: &mut VecDeque<Parcel>, topic: Topic, parcel: &Parcel) {
    forget(recent, topic, Instant::now());
    if recent_enough(topic) > Duration::ZERO {
        // It is counted as carried once.
        recent.push_back(Parcel { messages: 0, ..parcel.clone() });
    }
}

/// What would not be published again after a loss at that instant.
fn forget(recent: &mut VecDeque<Parcel>, topic: Topic, lost: Instant) {
    let length = recent_enough(topic);
    while recent.front().is_some_and(|oldest| lost.duration_since(oldest.since) > length) {
        recent.pop_front();
    }
}

/// Messages that travel as one.
#[derive(Clone)]
struct Parcel {
    /// The same for each try.
    id: String,
    region: Region,
    body: Bytes,
    messages: usize,
    /// When the first of them was published.
    since: Instant,
}

fn packed(link: &Link, bus: &Bus, batch: Vec<Queued>) -> Vec<Parcel> {
    let mut parcels: Vec<Packing> = Vec::new();
    for Queued { message, published, .. } in batch {
        let (topic, region) = (message.topic(), region(&message).unwrap_or(&link.region));
        let items = encode::encode(&message, region, &link.seals).unwrap_or_else(|err| {
            tracing::error!(topic = topic.as_str(), error = &err as &dyn std::error::Error, "not sent");
            Vec::new()
        });
        if items.is_empty() {
            bus.carried_off(topic, 1, false);
        }
        for (n, item) in items.into_iter().enumerate() {
            // Of what travels in portions, the first stands for the message.
            let messages = usize::from(n == 0);
            let fits = |known: &&mut Packing| known.region == *region && known.body.len() + item.len() < BYTES;
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
    let closed = |Packing { region, body, messages, since }| {
        let (id, body) = (link.message_id(), Bytes::from(body + "]"));
        Parcel { id, region, body, messages, since }
    };
    parcels.into_iter().map(closed).collect()
}

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
        _ => None,
    }
}

async fn deliver(link: Arc<Link>, bus: Bus, topic: Topic, parcel: Parcel, _permit: OwnedSemaphorePermit) {
    let Parcel { id, region, body, messages, since } = parcel;
    let subject = subject(topic, &region);
    let mut arrived = false;
    while !arrived && since.elapsed() < kept(topic).age {
        link.ready().await;
        let message = PublishMessage::build().payload(body.clone()).message_id(&id);
        let published = match link.stream.send_publish(subject.clone(), message).await {
            Ok(acknowledged) => acknowledged.await.map(drop),
            Err(err) => Err(err),
        };
        match published {
            Ok(()) => arrived = true,
            Err(err) => {
                tracing::debug!(topic = topic.as_str(), error = &err as &dyn std::error::Error, "published again");
                if err.kind() == PublishErrorKind::StreamNotFound {
                    link.doubt.notify_one();
                }
                tokio::time::sleep(RECONNECT).await;
            }
        }
    }
    if !arrived {
        // That NATS is gone was said once; what it costs is counted.
        tracing::debug!(topic = topic.as_str(), messages, "dropped: NATS did not take it in time");
        bus.count_dropped(messages as u64);
    }
    bus.carried_off(topic, messages, arrived);
}
