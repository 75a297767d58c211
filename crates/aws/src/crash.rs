//! What Lambda writes into a function's log where the function itself could not: it ran out of time or of memory, or its
//! process ended. CloudWatch hands such lines on, and each becomes a report of an issue.
//!
//! The filter in deploy/aws/functions.js chooses lines by [`WORDS`]. A line that the function wrote is JSON, whatever
//! words are in it, and is none of Lambda's.

use aws_lambda_events::cloudwatch_logs::{LogEntry, LogsEvent};
use gazer_domain::issue::gather::Gathered;
use gazer_domain::issue::redact::redact;
use gazer_domain::issue::{Fingerprint, Report};
use gazer_domain::{Region, Timestamp};

/// What such a line has in it, each with what it is called where its message changes from one to the next. Lambda's
/// developer guide shows the lines (Troubleshoot execution issues in Lambda).
const WORDS: [(&str, &str); 5] = [
    ("Task timed out", "ran out of time"),
    ("Runtime.OutOfMemory", "ran out of memory"),
    ("Runtime.ExitError", "its process ended"),
    ("Runtime.InvalidEntrypoint", "could not be started"),
    ("Runtime.Unknown", "ended for a reason that Lambda does not know"),
];
/// What the name of every log group begins with.
const GROUPS: &str = "/aws/lambda/";

/// A report for each kind of end that the lines tell.
pub(crate) fn reports(event: &LogsEvent, region: &Region) -> Vec<Report> {
    let data = &event.aws_logs.data;
    let function = data.log_group.strip_prefix(GROUPS).unwrap_or(&data.log_group);
    // gazer-STAGE-FUNCTION.
    let function = function.rsplit('-').next().unwrap_or(function);
    let (mut gathered, mut last) = (Gathered::default(), Timestamp::from_millis(0));
    for (entry, what) in data.log_events.iter().filter_map(|entry| Some((entry, end(entry)?))) {
        last = Timestamp::from_millis(entry.timestamp);
        gathered.add(Report {
            fingerprint: Fingerprint::of(function, "lambda", what, &[]),
            function: function.to_owned(),
            message: redact(&format!("{what}: {}", entry.message.trim())),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            count: 1,
            at: last,
            process: data.log_stream.clone(),
            region: region.clone(),
        });
    }
    gathered.take(last)
}

fn end(entry: &LogEntry) -> Option<&'static str> {
    let line = entry.message.trim();
    let is_our_own = line.starts_with('{');
    WORDS.iter().find(|(word, _)| !is_our_own && line.contains(word)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What CloudWatch hands over, once unpacked.
    fn event(lines: &[&str]) -> LogsEvent {
        let entries: Vec<_> =
            lines.iter().map(|line| json!({"id": "1", "timestamp": 1_700_000_000_000_i64, "message": line})).collect();
        let data = json!({
            "owner": "123456789012", "logGroup": "/aws/lambda/gazer-prod-judge", "logStream": "2026/11/27/[$LATEST]5f",
            "subscriptionFilters": ["crashes"], "messageType": "DATA_MESSAGE", "logEvents": entries,
        });
        let mut event = LogsEvent::default();
        event.aws_logs.data = serde_json::from_value(data).unwrap();
        event
    }

    #[test]
    fn each_way_to_end_is_one_report_of_its_function() {
        let lines = [
            "2026-11-27T09:00:00.000Z 8f507cfc Task timed out after 60.00 seconds\n\n",
            "2026-11-27T09:01:00.000Z 1a2b3c4d Task timed out after 60.06 seconds\n\n",
            "RequestId: 8f507cfc Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
        ];
        let reports = reports(&event(&lines), &"us-east-1".parse().unwrap());
        let told: Vec<_> = reports.iter().map(|report| (&*report.function, report.count)).collect();
        assert_eq!(told, [("judge", 2), ("judge", 1)]);
        assert!(reports[0].message.starts_with("ran out of time: "), "{}", reports[0].message);
        assert_eq!(reports[0].at, Timestamp::from_millis(1_700_000_000_000));
    }

    #[test]
    fn the_filter_of_the_deployment_chooses_these_words() {
        let functions = include_str!("../../../deploy/aws/functions.js");
        let filter = WORDS.map(|(word, _)| format!("?\"{word}\"")).join(" ");
        assert!(functions.contains(&format!("const CRASHES = '{filter}';")), "{filter}");
    }

    #[test]
    fn what_a_function_wrote_itself_is_no_crash() {
        let line = r#"{"level":"WARN","message":"the site said: Task timed out"}"#;
        assert_eq!(reports(&event(&[line, "START RequestId: 8f507cfc Version: $LATEST"]), &Region::local()), []);
    }
}
