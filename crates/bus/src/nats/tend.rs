//! Sees to it that streams and consumers are there whenever the connection is.

use std::sync::Arc;

use async_nats::jetstream::context::CreateStreamError;
use async_nats::jetstream::stream::ConsumerError;
use gazer_domain::Region;
use tokio::sync::watch;

use super::streams::{self, kept};
use super::{Link, PATIENCE, RECONNECT};
use crate::message::Topic;

#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error("the stream {0} cannot be made: {1}")]
    Stream(String, CreateStreamError),
    #[error("the consumer of {0} cannot be made: {1}")]
    Consumer(&'static str, ConsumerError),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silence,
}

/// Makes what is missing after each connection, and where somebody doubts that it is there.
pub(super) async fn tend(link: Arc<Link>, mut connected: watch::Receiver<u64>) {
    let mut said = false;
    loop {
        let connection = *connected.borrow_and_update();
        match make(&link).await {
            Ok(()) => {
                said = false;
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

async fn make(link: &Link) -> Result<(), Unmade> {
    if !link.is_house {
        return Ok(());
    }
    let made = async {
        for topic in Topic::ALL {
            make_stream(link, streams::stream_config(topic, link.replicas)).await?;
            make_consumer(link, topic, &link.region).await?;
        }
        make_stream(link, streams::dead_config(link.replicas)).await
    };
    tokio::time::timeout(PATIENCE * 8, made).await.unwrap_or(Err(Unmade::Silence))
}

async fn make_stream(link: &Link, config: async_nats::jetstream::stream::Config) -> Result<(), Unmade> {
    let name = config.name.clone();
    let made = link.stream.create_or_update_stream(config).await;
    made.map(drop).map_err(|err| Unmade::Stream(name, err))
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
