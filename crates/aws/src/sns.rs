//! Publishes to SNS: the topic of a function is named after it.
//!
//! What a request did not take is asked again, a few times and not for long: whoever waits for this costs money, and
//! what is lost here is counted as missed or claimed again, as everywhere.

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::DisplayErrorContext;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use gazer_bus::Topic;
use gazer_bus::parcel::Parcel;

use crate::batches;

/// Tries of one request, with longer pauses between them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);
/// Says where a message is for, so that a prober's subscription can choose.
const REGION: &str = "region";

#[derive(Debug, Clone)]
pub(crate) struct Sns {
    client: Client,
    /// What the ARN of every topic begins with.
    topics: String,
}

impl Sns {
    pub(crate) fn new(client: Client, topics: String) -> Self {
        Self { client, topics }
    }

    /// Answers for each parcel whether it arrived.
    pub(crate) async fn publish(&self, topic: Topic, parcels: &[Parcel]) -> Vec<bool> {
        let mut arrived = vec![false; parcels.len()];
        let (requests, too_large) = batches::shares(parcels.iter().map(size));
        for n in too_large {
            tracing::error!(
                topic = topic.as_str(),
                bytes = parcels[n].body.len(),
                "a message is larger than SNS takes"
            );
        }
        let sent = requests.iter().map(|request| self.request(topic, parcels, request));
        for done in futures_util::future::join_all(sent).await.into_iter().flatten() {
            arrived[done] = true;
        }
        arrived
    }

    /// The numbers of those that arrived.
    async fn request(&self, topic: Topic, parcels: &[Parcel], request: &[usize]) -> Vec<usize> {
        let arn = format!("{}{}", self.topics, topic.consumer());
        let topic = topic.as_str();
        let (mut left, mut arrived) = (request.to_vec(), Vec::new());
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
            }
            let entries = left.iter().map(|n| entry(*n, &parcels[*n])).collect();
            let sent = self.client.publish_batch().topic_arn(&arn).set_publish_batch_request_entries(Some(entries));
            match sent.send().await {
                Ok(answer) => {
                    let taken = answer.successful().iter().filter_map(|done| done.id()?.parse::<usize>().ok());
                    arrived.extend(taken);
                    left.retain(|n| !arrived.contains(n));
                    if left.is_empty() {
                        return arrived;
                    }
                    let why = answer.failed().first().and_then(|failed| failed.message()).unwrap_or("no reason given");
                    tracing::warn!(topic, messages = left.len(), why, "SNS did not take some messages");
                }
                Err(err) => tracing::warn!(topic, "SNS took nothing: {}", DisplayErrorContext(&err)),
            }
        }
        tracing::error!(topic, messages = left.len(), "given up: SNS did not take it");
        arrived
    }
}

fn entry(n: usize, parcel: &Parcel) -> PublishBatchRequestEntry {
    let region = MessageAttributeValue::builder().data_type("String").string_value(parcel.region.as_str());
    let region = region.build().expect("it has its type");
    let body = std::str::from_utf8(&parcel.body).expect("a parcel is text");
    let entry = PublishBatchRequestEntry::builder().id(n.to_string()).message(body);
    entry.message_attributes(REGION, region).build().expect("it has its id and its message")
}

/// A message's attributes count, with their names and types.
fn size(parcel: &Parcel) -> usize {
    parcel.body.len() + REGION.len() + "String".len() + parcel.region.as_str().len()
}
