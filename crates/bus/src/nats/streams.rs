//! How each topic is kept: its stream, its subjects, and who consumes it.
//!
//! All of it is in memory and goes with its age: what matters is a row in the database. Only what could not be handled
//! is kept on disk, for whoever wants to know why.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use gazer_domain::Region;

use crate::message::Topic;

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
    /// Whether each region has a subject of its own.
    pub(super) by_region: bool,
}

pub(super) const fn kept(topic: Topic) -> Kept {
    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }
    let plain = Kept {
        stream: "",
        age: minutes(30),
        bytes: 32 * MIB,
        ack_wait: ACK_WAIT,
        ack_pending: 1_000,
        by_region: false,
    };
    match topic {
        // Nobody is asked for what was due long ago.
        Topic::Check => {
            let age = Duration::from_secs(5);
            Kept { stream: "GAZER_CHECK", age, ack_pending: 10_000, by_region: true, ..plain }
        }
        // As long as a database may be away.
        Topic::Observed => Kept { stream: "GAZER_OBSERVED", bytes: 128 * MIB, by_region: true, ..plain },
        // As long as the lease of a claim.
        Topic::Send => {
            let age = Duration::from_secs(30);
            Kept { stream: "GAZER_SEND", age, ack_wait: SEND_ACK_WAIT, ..plain }
        }
        Topic::Sent => Kept { stream: "GAZER_SENT", ..plain },
        Topic::Looked => Kept { stream: "GAZER_LOOKED", age: minutes(1), bytes: MIB, by_region: true, ..plain },
        Topic::Plan => Kept { stream: "GAZER_PLAN", age: minutes(1), bytes: MIB, ..plain },
        Topic::Deliver => Kept { stream: "GAZER_DELIVER", age: minutes(1), bytes: MIB, ..plain },
    }
}

pub(super) fn subject(topic: Topic, region: &Region) -> String {
    let plain = format!("gazer.{}", topic.as_str());
    if kept(topic).by_region { format!("{plain}.{region}") } else { plain }
}

/// Of a subject of a topic that has one for each region.
pub(super) fn region_of(topic: Topic, subject: &str) -> Option<Region> {
    let region = subject.strip_prefix("gazer.")?.strip_prefix(topic.as_str())?.strip_prefix('.')?;
    region.parse().ok()
}

/// Where a message of that subject goes that could not be handled.
pub(super) fn dead_subject(subject: &str) -> String {
    format!("{DEAD_SUBJECT}.{}", subject.trim_start_matches("gazer."))
}

/// Who consumes a topic: its function, and where the topic is handed out by region, that of a region.
pub(super) fn consumer(topic: Topic, region: &Region) -> String {
    match topic {
        Topic::Check => format!("check-{region}"),
        Topic::Observed => "judge".into(),
        Topic::Plan => "plan".into(),
        Topic::Deliver => "deliver".into(),
        Topic::Send => "send".into(),
        Topic::Sent => "settle".into(),
        Topic::Looked => "canary".into(),
    }
}

pub(super) fn stream_config(topic: Topic, replicas: usize) -> Config {
    let Kept { stream, age, bytes, by_region, .. } = kept(topic);
    let plain = format!("gazer.{}", topic.as_str());
    Config {
        name: stream.into(),
        subjects: vec![if by_region { format!("{plain}.*") } else { plain }],
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
    fn a_region_is_read_from_the_subject_that_it_makes() {
        let eu: Region = "eu-1".parse().unwrap();
        assert_eq!(subject(Topic::Observed, &eu), "gazer.observed.v1.eu-1");
        assert_eq!(subject(Topic::Send, &eu), "gazer.send.v1");
        for topic in Topic::ALL {
            let region = region_of(topic, &subject(topic, &eu));
            assert_eq!(region.is_some(), kept(topic).by_region, "{topic:?}");
        }
        assert_eq!(region_of(Topic::Check, "gazer.observed.v1.eu-1"), None);
        assert_eq!(dead_subject("gazer.check.v1.eu-1"), "gazer.dead.check.v1.eu-1");
    }
}
