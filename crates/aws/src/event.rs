//! What invoked a function, read from the event that Lambda hands over.

use anyhow::Context;
use aws_lambda_events::cloudwatch_logs::LogsEvent;
use aws_lambda_events::sns::SnsEvent;
use gazer_bus::parcel::Packer;
use gazer_bus::{Message, Topic};
use gazer_domain::Region;
use serde_json::Value;

use crate::crash;

/// The messages of its topic, or `None` where it was the clock.
pub(crate) fn messages(
    event: Value,
    topic: Option<Topic>,
    packer: &Packer,
    home: &Region,
) -> anyhow::Result<Option<Vec<Message>>> {
    if topic == Some(Topic::Issue) && event.get("awslogs").is_some() {
        let lines: LogsEvent = serde_json::from_value(event).context("no lines of a log")?;
        return Ok(Some(
            crash::reports(&lines, home).into_iter().map(|report| Message::Issue(Box::new(report))).collect(),
        ));
    }
    let (Some(topic), true) = (topic, event.get("Records").is_some()) else { return Ok(None) };
    let event: SnsEvent = serde_json::from_value(event).context("no event of SNS")?;
    let mut messages = Vec::new();
    for record in event.records {
        let region = spoken_from(topic, &record.sns.topic_arn, home);
        let read = packer.unpack(topic, &region, &record.sns.message);
        messages.extend(read.map_err(|why| anyhow::anyhow!("a message of {} is unreadable: {why}", topic.as_str()))?);
    }
    Ok(Some(messages))
}

/// Each region has its own topic for what is seen there, so whoever may publish on it says where that was. What is for
/// a prober is for this one.
fn spoken_from(topic: Topic, arn: &str, home: &Region) -> Region {
    let speaks = topic.is_by_region() && topic != Topic::Check;
    let region = arn.split(':').nth(3).filter(|_| speaks).and_then(|region| region.parse().ok());
    region.unwrap_or_else(|| home.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_was_seen_where_its_topic_is() {
        let home: Region = "us-east-1".parse().unwrap();
        let arn = "arn:aws:sns:eu-west-1:123456789012:gazer-prod-judge";
        assert_eq!(spoken_from(Topic::Observed, arn, &home).as_str(), "eu-west-1");
        assert_eq!(spoken_from(Topic::Issue, arn, &home).as_str(), "eu-west-1");
        assert_eq!(spoken_from(Topic::Check, arn, &home), home);
        assert_eq!(spoken_from(Topic::Sent, arn, &home), home);
    }
}
