//! How each topic is kept: its stream, its subjects, and who consumes it.
//!
//! All of it is in memory and goes with its age: what matters is a row in the database. Only what could not be handled
//! is kept on disk, for whoever wants to know why.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use gazer_domain::Region;

use crate::message::Topic;
use crate::subject::{all_of, subject};

/// Unacknowledged for so long, a message goes to another process; whoever works on it says so more often than that.
const ACK_WAIT: Duration = Duration::from_secs(2);
/// A message that is sent twice is worse than one that waits for another sender.
const SEND_ACK_WAIT: Duration = Duration::from_secs(10);
/// Published again within this time, a message is known by its id.
const DUPLICATES: Duration = Duration::from_secs(120);
const MIB: i64 = 1024 * 1024;

pub(super) const DEAD: &str = "GAZER_DEAD";
const DEAD_SUBJECT: &str = "gazer.dead";
/// Told to open pages.
pub(super) const CHANGED: &str = "gazer.changed.v1";

/// How one topic is kept.
pub(super) struct Kept {
    pub(super) stream: &'static str,
    /// What is older is worth nothing.
    pub(super) age: Duration,
    bytes: i64,
    pub(super) ack_wait: Duration,
    /// Taken and not acknowledged, by all processes together: beyond that nothing is handed out.
    ack_pending: i64,
}

pub(super) const fn kept(topic: Topic) -> Kept {
    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }
    let plain = Kept { stream: "", age: minutes(30), bytes: 32 * MIB, ack_wait: ACK_WAIT, ack_pending: 1_000 };
    match topic {
        // Nobody is asked for what was due long ago.
        Topic::Check => {
            let age = Duration::from_secs(5);
            Kept { stream: "GAZER_CHECK", age, ack_pending: 10_000, ..plain }
        }
        // As long as a database may be away.
        Topic::Observed => Kept { stream: "GAZER_OBSERVED", bytes: 128 * MIB, ..plain },
        // As long as the lease of a claim.
        Topic::Send => {
            let age = Duration::from_secs(30);
            Kept { stream: "GAZER_SEND", age, ack_wait: SEND_ACK_WAIT, ..plain }
        }
        Topic::Sent => Kept { stream: "GAZER_SENT", ..plain },
        Topic::Looked => Kept { stream: "GAZER_LOOKED", age: minutes(1), bytes: MIB, ..plain },
        // As long as a database may be away.
        Topic::Issue => Kept { stream: "GAZER_ISSUE", bytes: 8 * MIB, ..plain },
        Topic::Plan => Kept { stream: "GAZER_PLAN", age: minutes(1), bytes: MIB, ..plain },
        Topic::Deliver => Kept { stream: "GAZER_DELIVER", age: minutes(1), bytes: MIB, ..plain },
    }
}

/// Where a message of that subject goes that could not be handled.
pub(super) fn dead_subject(subject: &str) -> String {
    format!("{DEAD_SUBJECT}.{}", subject.trim_start_matches("gazer."))
}

/// Who consumes a topic: its function, and where the topic is handed out by region, that of a region.
pub(super) fn consumer(topic: Topic, region: &Region) -> String {
    match topic {
        Topic::Check => format!("{}-{region}", topic.consumer()),
        _ => topic.consumer().into(),
    }
}

pub(super) fn stream_config(topic: Topic, replicas: usize) -> Config {
    let Kept { stream, age, bytes, .. } = kept(topic);
    Config {
        name: stream.into(),
        subjects: vec![all_of(topic)],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::Memory,
        discard: DiscardPolicy::Old,
        max_age: age,
        max_bytes: bytes,
        duplicate_window: DUPLICATES.min(age),
        num_replicas: replicas,
        ..Config::default()
    }
}

pub(super) fn dead_config(replicas: usize) -> Config {
    Config {
        name: DEAD.into(),
        subjects: vec![format!("{DEAD_SUBJECT}.>")],
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: Duration::from_secs(7 * 86_400),
        max_bytes: 64 * MIB,
        num_replicas: replicas,
        ..Config::default()
    }
}

pub(super) fn consumer_config(topic: Topic, region: &Region) -> pull::Config {
    let Kept { ack_wait, ack_pending, .. } = kept(topic);
    let filter = if topic == Topic::Check { subject(topic, region) } else { String::new() };
    pull::Config {
        durable_name: Some(consumer(topic, region)),
        ack_policy: AckPolicy::Explicit,
        ack_wait,
        max_ack_pending: ack_pending,
        filter_subject: filter,
        memory_storage: true,
        ..pull::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_says_what_it_was() {
        assert_eq!(dead_subject("gazer.check.v1.eu-1"), "gazer.dead.check.v1.eu-1");
    }
}
