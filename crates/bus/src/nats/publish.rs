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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::streams::kept;
use super::{Link, RECONNECT};
use crate::message::Topic;
use crate::outbox::{Fate, Outbox};
use crate::parcel::Parcel;
use crate::subject::subject;
use crate::{Bus, lock};

/// Good news waits so long for company on the way to the judge, which lets it wait for longer.
const LINGER: Duration = Duration::from_millis(50);
const COMPANY: usize = 200;
/// Messages of a topic that are on their way at the same time.
const AT_ONCE: usize = 32;

pub(super) async fn carry(link: Arc<Link>, bus: Bus, topic: Topic) {
    let Some(outbox) = bus.outbox(topic) else { return };
    let most = if topic == Topic::Observed { COMPANY } else { 1 };
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut on_the_way = JoinSet::new();
    let mut regions = HashSet::new();
    let mut recent = VecDeque::new();
    let mut connection = link.ready().await;
    loop {
        let parcels = tokio::select! {
            first = outbox.first() => outbox.pack(first, &link.packer, most, sleep(LINGER)).await,
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
            on_the_way.spawn(deliver(Arc::clone(&link), outbox.clone(), topic, parcel, permit));
        }
    }
}

/// How long before a loss of the connection a message may have been published that is published again after it.
const fn recent_enough(topic: Topic) -> Duration {
    match topic {
        // Probers take what is due at once, and nobody wants to be asked twice.
        Topic::Check => Duration::from_millis(500),
        // The judge waits for company, and for its database. A report that comes twice is known by its instant.
        Topic::Observed | Topic::Sent | Topic::Issue => Duration::from_secs(5),
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

async fn deliver(link: Arc<Link>, outbox: Outbox, topic: Topic, parcel: Parcel, _permit: OwnedSemaphorePermit) {
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
                sleep(RECONNECT).await;
            }
        }
    }
    if !arrived {
        // That NATS is gone was said once; what it costs is counted.
        tracing::debug!(topic = topic.as_str(), messages, "dropped: NATS did not take it in time");
    }
    outbox.carried(messages, if arrived { Fate::Queued } else { Fate::Lost });
}
