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
        // From text: what unpacks it reads names that it can borrow, and no others.
        let lines: LogsEvent = serde_json::from_str(&event.to_string()).context("no lines of a log")?;
        let reports = crash::reports(&lines, home).into_iter();
        return Ok(Some(reports.map(|report| Message::Issue(Box::new(report))).collect()));
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
    use gazer_bus::parcel::Size;
    use gazer_bus::seal::Seals;
    use serde_json::json;

    use super::*;

    /// One line of `judge`, which ended: as CloudWatch hands it over, packed with gzip, in base64.
    const LINES: &str = "H4sIAAAAAAACA0WOSw+CMBCE/8vGo1paH6g3EqsXvQg3Q0yRFWuAkm3xGf+7JSY6x51vZucF5lYjwQK4GI0n03A2D7iAPpSmWJNp\
             G+8wdbOsVFWWK1aoJ9KgIZMPLm1e4JeMHaGqPCoCMWWcMxGyfW8TJTJO0snJQ7bN7JF047SpV7p0SBYWeziSsme0kPahQmtVgcmj\
             QV+0jJLosJVxHK3l94e8Yu260At03u31Z6d9yqnKr+Rh8NevzXO7tu6wobxrJ4kMwTt9fwB0WdlU9wAAAA==";

    #[test]
    fn lines_of_a_log_are_reports_where_issues_are_made_of_them() {
        let home: Region = "us-east-1".parse().unwrap();
        let size = Size { bytes: 1_000, checks: 1 };
        let packer = Packer::new("one".into(), home.clone(), Seals::house([7; 32]), size);
        let event = json!({"awslogs": {"data": LINES}});
        let messages = messages(event, Some(Topic::Issue), &packer, &home).unwrap().unwrap();
        let [Message::Issue(report)] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(
            (report.function.as_str(), report.message.as_str()),
            ("judge", "its process ended: Runtime.ExitError")
        );
    }

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
