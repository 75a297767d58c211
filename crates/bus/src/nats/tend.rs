//! Sees to it that streams and consumers are there whenever the connection is.

use std::sync::Arc;

use async_nats::jetstream::context::CreateStreamError;
use async_nats::jetstream::stream::{Config, ConsumerError};
use gazer_domain::Region;
use tokio::sync::watch;
use tokio::time::Instant;

use super::streams::{self, kept};
use super::{Link, PATIENCE, RECONNECT};
use crate::message::Topic;
use crate::{Bus, lock};

#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error("the stream {0} cannot be made: {1}")]
    Stream(String, CreateStreamError),
    #[error("the consumer of {0} cannot be made: {1}")]
    Consumer(&'static str, ConsumerError),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silence,
}

/// The instants at which the streams were made, by the server's clock.
type Made = Vec<i128>;

/// Makes what is missing after each connection, and where somebody doubts that it is there.
pub(super) async fn tend(link: Arc<Link>, bus: Bus, mut connected: watch::Receiver<u64>) {
    let (mut said, mut made) = (false, None);
    loop {
        let connection = *connected.borrow_and_update();
        match make(&link).await {
            Ok(now) => {
                said = false;
                if made.is_some() && made != now {
                    tracing::warn!("NATS lost what it carried; everything is looked for again");
                    bus.lose(lock(&link.gone).unwrap_or_else(Instant::now));
                }
                made = now;
                link.ready.send_replace(Some(connection));
                tokio::select! {
                    changed = connected.changed() => if changed.is_err() { return },
                    // Whoever pulls from what is there goes on with it.
                    () = link.doubt.notified() => {}
                }
            }
            Err(why) => {
                link.ready.send_replace(None);
                if !std::mem::replace(&mut said, true) {
                    tracing::error!("NATS does not carry what is published: {why}");
                }
            }
        }
        // Doubt comes from everybody at once, and a server that is starting refuses at first.
        tokio::time::sleep(RECONNECT).await;
    }
}

/// When the streams were made that are there now, if we may know.
async fn make(link: &Link) -> Result<Option<Made>, Unmade> {
    if !link.is_house {
        return Ok(None);
    }
    let made = async {
        let mut made = Vec::new();
        for topic in Topic::ALL {
            made.push(make_stream(link, streams::stream_config(topic, link.replicas)).await?);
            make_consumer(link, topic, link.packer.home()).await?;
        }
        make_stream(link, streams::dead_config(link.replicas)).await?;
        Ok(Some(made))
    };
    tokio::time::timeout(PATIENCE * 8, made).await.unwrap_or(Err(Unmade::Silence))
}

async fn make_stream(link: &Link, config: Config) -> Result<i128, Unmade> {
    let name = config.name.clone();
    let made = link.stream.create_or_update_stream(config).await;
    made.map(|made| made.created.unix_timestamp_nanos()).map_err(|err| Unmade::Stream(name, err))
}

async fn make_consumer(link: &Link, topic: Topic, region: &Region) -> Result<(), Unmade> {
    let config = streams::consumer_config(topic, region);
    let made = link.stream.create_consumer_on_stream(config, kept(topic).stream).await;
    made.map(drop).map_err(|err| Unmade::Consumer(topic.as_str(), err))
}

impl Link {
    /// Makes the consumer for the checks of a region, so that its probers need not be allowed to.
    pub(super) async fn make_region(&self, region: &Region) -> bool {
        make_consumer(self, Topic::Check, region).await.is_ok()
    }
}
