//! Brings in what the functions of this process consume, no more than they have room for.
//!
//! A message is acknowledged once everything that came in it is done, and whoever works on it for long says so; so the
//! messages of a process that died go to another one, and those of a process that stood still as well. What was
//! delivered several times in vain, or cannot be read, is put aside where people find it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{AckKind, Message as Delivered};
use async_nats::{HeaderMap, jetstream::message::Acker};
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::streams::{self, consumer, kept};
use super::{Link, RECONNECT};
use crate::Bus;
use crate::hold::Hold;
use crate::message::Topic;
use crate::receipt::{Outcome, Receipt};
use crate::subject::region_of;

/// A request for messages is made again after this.
const EXPIRES: Duration = Duration::from_secs(30);
/// Another process may be luckier with it.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Delivered more often than this, a message is given up. One may be lost on its way to a process that ends.
const DELIVERIES: i64 = 5;

/// Taken by this process and not done.
const fn room(topic: Topic) -> u32 {
    match topic {
        Topic::Check => 512,
        Topic::Observed | Topic::Sent | Topic::Issue => 64,
        // As many as are sent at a time.
        Topic::Send => 64,
        Topic::Plan | Topic::Deliver | Topic::Looked => 8,
    }
}

/// Nobody misses one: it comes again.
const fn is_passing(topic: Topic) -> bool {
    matches!(topic, Topic::Plan | Topic::Deliver | Topic::Looked)
}

pub(super) async fn pull(link: Arc<Link>, bus: Bus, topic: Topic, turn: Hold) {
    let room = Arc::new(Semaphore::new(room(topic) as usize));
    loop {
        if !turn.is_held() {
            turn.gained().await;
        }
        let connection = link.ready().await;
        let Some(consumer) = found(&link, topic).await else {
            tokio::time::sleep(RECONNECT).await;
            continue;
        };
        tokio::select! {
            () = take(&link, &bus, topic, &consumer, &room) => tokio::time::sleep(RECONNECT).await,
            () = link.outlived(connection) => {}
            () = turn.lost() => {}
        }
    }
}

async fn found(link: &Link, topic: Topic) -> Option<PullConsumer> {
    let (name, stream) = (consumer(topic, link.packer.home()), kept(topic).stream);
    let found = link.stream.get_consumer_from_stream::<pull::Config, _, _>(&name, stream).await;
    found.inspect_err(|err| tracing::debug!(name, error = err as &dyn std::error::Error, "no consumer yet")).ok()
}

/// Until the server says that something is wrong.
async fn take(link: &Arc<Link>, bus: &Bus, topic: Topic, consumer: &PullConsumer, room: &Arc<Semaphore>) {
    loop {
        let Ok(first) = Arc::clone(room).acquire_owned().await else { return };
        let mut places = vec![first];
        while let Ok(place) = Arc::clone(room).try_acquire_owned() {
            places.push(place);
        }
        let asked = consumer.batch().max_messages(places.len()).expires(EXPIRES).messages().await;
        let Ok(mut messages) = asked else { return };
        while let Some(message) = messages.next().await {
            let Ok(message) = message else { return };
            let Some(place) = places.pop() else { return };
            take_one(link, bus, topic, message, place).await;
        }
    }
}

async fn take_one(link: &Arc<Link>, bus: &Bus, topic: Topic, message: Delivered, place: OwnedSemaphorePermit) {
    let deliveries = message.info().map_or(1, |info| info.delivered);
    let region = region_of(topic, &message.subject).unwrap_or_else(|| link.packer.home().clone());
    let decoded = std::str::from_utf8(&message.payload).map_err(|err| err.to_string());
    let decoded = decoded.and_then(|text| link.packer.unpack(topic, &region, text));
    let messages = match decoded {
        Err(why) => return bury(link, topic, &message, &why).await,
        Ok(_) if deliveries > DELIVERIES => return bury(link, topic, &message, "it was delivered in vain").await,
        Ok(messages) => messages,
    };
    let (_, acker) = message.split();
    let acker = Arc::new(acker);
    tokio::spawn(at_work(Arc::downgrade(&acker), kept(topic).ack_wait / 3));
    let receipt = Receipt::new(move |outcome| {
        let _ = &place;
        let kind = match outcome {
            Outcome::Again if !is_passing(topic) => AckKind::Nak(Some(AGAIN_AFTER)),
            _ => AckKind::Ack,
        };
        let acker = Arc::clone(&acker);
        // At the very end there is nobody left to say it, and whoever comes next finds out by itself.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { acker.ack_with(kind).await });
        }
    });
    for message in messages {
        bus.take_in(message, receipt.clone());
    }
}

/// Says again and again that a message is being worked on, until it is done.
async fn at_work(acker: Weak<Acker>, pause: Duration) {
    let mut next = Instant::now() + pause;
    loop {
        tokio::time::sleep_until(next).await;
        // Where this process stood still, somebody else has it by now.
        next = Instant::now() + pause;
        let Some(acker) = acker.upgrade() else { return };
        let _ = acker.ack_with(AckKind::Progress).await;
    }
}

/// Puts a message aside that cannot be handled.
async fn bury(link: &Link, topic: Topic, message: &Delivered, why: &str) {
    link.buried.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    tracing::error!(topic = topic.as_str(), subject = %message.subject, "a message is put aside in {}: {why}", streams::DEAD);
    let mut headers = HeaderMap::new();
    headers.insert("Gazer-Why", why.replace(['\r', '\n'], " "));
    let subject = streams::dead_subject(&message.subject);
    let aside = link.stream.publish_with_headers(subject, headers, message.payload.clone()).await;
    if let Ok(acknowledged) = aside {
        let _ = acknowledged.await;
    }
    let _ = message.ack_with(AckKind::Term).await;
}
