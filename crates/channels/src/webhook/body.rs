//! What a webhook says: version 1 of a contract with programs we do not know.
//!
//! It is a pure function of the notice, so every attempt under one id carries the same bytes. Fields may be added;
//! none changes its meaning or goes without a new version.

use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::issue::{Kind, News, Told};
use serde::Serialize;

const VERSION: u8 = 1;

/// What every webhook of ours is wrapped in.
#[derive(Serialize)]
pub(crate) struct Body<D> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) version: u8,
    pub(crate) timestamp: String,
    pub(crate) data: D,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Test {
        message: &'static str,
    },
    Incident {
        monitor: Monitor<'a>,
        incident: Incident<'a>,
        /// Why the incident was closed without a recovery.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    Issue {
        issue: Issue<'a>,
    },
    Digest {
        issues: Vec<Issue<'a>>,
        more: u32,
        link: &'a str,
    },
}

#[derive(Serialize)]
struct Monitor<'a> {
    id: String,
    name: &'a str,
    kind: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
struct Incident<'a> {
    id: String,
    started_at: String,
    ended_at: Option<String>,
    cause: Cause<'a>,
    link: &'a str,
}

#[derive(Serialize)]
struct Issue<'a> {
    id: String,
    function: &'a str,
    message: &'a str,
    version: &'a str,
    first_seen_at: String,
    last_seen_at: String,
    count: u64,
    /// Since the operator was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<u64>,
    link: &'a str,
}

#[derive(Serialize)]
struct Cause<'a> {
    code: &'static str,
    text: &'a str,
}

pub(super) fn of(notice: &Notice) -> Vec<u8> {
    let (kind, data) = match &notice.about {
        About::Test => ("test", Data::Test { message: "This channel works: Gazer can reach you here." }),
        About::Incident(story) => (kind(story.event), told(story)),
        About::Issues(news) => issues(news),
    };
    let body = Body { kind, version: VERSION, timestamp: notice.at.rfc3339(), data };
    serde_json::to_vec(&body).expect("texts and numbers always serialise")
}

fn issues(news: &News) -> (&'static str, Data<'_>) {
    let issue = |told, repeats| Data::Issue { issue: issue(told, repeats) };
    match (news.kind, &news.issues[..]) {
        (Kind::New, [told]) => ("issue.new", issue(told, None)),
        (Kind::Regressed, [told]) => ("issue.regressed", issue(told, None)),
        (_, all) => {
            let issues = all.iter().map(|told| self::issue(told, Some(told.repeats))).collect();
            ("issue.digest", Data::Digest { issues, more: news.more, link: &news.link })
        }
    }
}

fn issue(told: &Told, repeats: Option<u64>) -> Issue<'_> {
    Issue {
        id: told.id.to_string(),
        function: &told.function,
        message: &told.message,
        version: &told.version,
        first_seen_at: told.first_seen.rfc3339(),
        last_seen_at: told.last_seen.rfc3339(),
        count: told.count,
        repeats,
        link: &told.link,
    }
}

const fn kind(event: EventKind) -> &'static str {
    match event {
        EventKind::Down => "monitor.down",
        EventKind::Regional => "monitor.regional",
        EventKind::Slow => "monitor.slow",
        EventKind::Recovered => "monitor.recovered",
        EventKind::Paused | EventKind::Deleted => "monitor.closed",
    }
}

const fn reason(event: EventKind) -> Option<&'static str> {
    match event {
        EventKind::Paused | EventKind::Deleted => Some(event.as_str()),
        EventKind::Down | EventKind::Regional | EventKind::Slow | EventKind::Recovered => None,
    }
}

fn told(story: &Story) -> Data<'_> {
    Data::Incident {
        monitor: Monitor {
            id: story.monitor.to_string(),
            name: &story.monitor_name,
            kind: &story.monitor_kind,
            url: &story.monitor_target,
        },
        incident: Incident {
            id: story.incident.to_string(),
            started_at: story.started.rfc3339(),
            ended_at: story.ended.map(gazer_domain::Timestamp::rfc3339),
            cause: Cause { code: story.cause.code.as_str(), text: &story.cause.text },
            link: &story.link,
        },
        reason: reason(story.event),
    }
}
