//! A message of `send` that SNS hands over twice is sent once: whoever takes up a claim writes it into a table first.
//!
//! An instance knows what it took up itself; this is for two that know nothing of each other. Where the table does not
//! answer, the message is sent: its id tells a receiver that it has seen it, and nobody else would tell the owner.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use gazer_bus::{Message, Send};

/// A claim lasts half a minute, and must leave time to send.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Claims {
    client: Client,
    table: String,
    /// This process: what it wrote, and whose answer was lost, is its own when it asks again.
    taker: String,
}

impl Claims {
    pub(crate) fn new(client: Client, table: String, taker: String) -> Self {
        Self { client, table, taker }
    }

    /// Those that nobody else took up.
    pub(crate) async fn take(&self, messages: Vec<Message>) -> Vec<Message> {
        let asked = messages.into_iter().map(async |message| match &message {
            Message::Send(send) => self.is_ours(send).await.then_some(message),
            _ => Some(message),
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn is_ours(&self, send: &Send) -> bool {
        let (claim, taker) = (format!("{} {}", send.delivery, send.epoch), AttributeValue::S(self.taker.clone()));
        // In seconds, after which the table forgets it.
        let ends = AttributeValue::N((send.until.millis() / 1_000 + 1).to_string());
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("claim", AttributeValue::S(claim)).item("taker", taker.clone()).item("ends", ends);
        let put = put.condition_expression("attribute_not_exists(claim) or taker = :taker");
        let put = put.expression_attribute_values(":taker", taker);
        match tokio::time::timeout(PATIENCE, put.send()).await {
            Ok(Ok(_)) => true,
            Ok(Err(err)) if err.as_service_error().is_some_and(|err| err.is_conditional_check_failed_exception()) => {
                tracing::debug!(delivery = %send.delivery, "another instance sends it");
                false
            }
            Ok(Err(err)) => {
                tracing::warn!("sent without asking: the table of claims failed: {}", DisplayErrorContext(&err));
                true
            }
            Err(_) => {
                tracing::warn!("sent without asking: the table of claims does not answer");
                true
            }
        }
    }
}
