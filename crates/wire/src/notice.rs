//! A notice, frozen when its event was committed.

use gazer_domain::channel::{self as domain, About};
use gazer_domain::incident::EventKind;
use gazer_domain::{Timestamp, cause};
use serde::{Deserialize, Serialize};

use crate::attempt::Cause;
use crate::issue::News;
use crate::{Unreadable, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    at_ms: i64,
    /// Where there is neither, it is a test.
    story: Option<Story>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issues: Option<News>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    event: String,
    monitor: String,
    monitor_name: String,
    monitor_kind: String,
    monitor_target: String,
    incident: String,
    started_ms: i64,
    ended_ms: Option<i64>,
    cause: Cause,
    link: String,
}

pub fn to_json(notice: &domain::Notice) -> String {
    let issues = match &notice.about {
        About::Issues(news) => Some(News::from(news)),
        About::Test | About::Incident(_) => None,
    };
    let story = match &notice.about {
        About::Test | About::Issues(_) => None,
        About::Incident(story) => Some(Story {
            event: story.event.as_str().to_owned(),
            monitor: story.monitor.to_string(),
            monitor_name: story.monitor_name.clone(),
            monitor_kind: story.monitor_kind.clone(),
            monitor_target: story.monitor_target.clone(),
            incident: story.incident.to_string(),
            started_ms: story.started.millis(),
            ended_ms: story.ended.map(Timestamp::millis),
            cause: Cause::from(&story.cause),
            link: story.link.clone(),
        }),
    };
    crate::write(&Notice { at_ms: notice.at.millis(), story, issues })
}

pub fn from_json(text: &str) -> Result<domain::Notice, Unreadable> {
    let wire: Notice = crate::read(text)?;
    let about = match (wire.story, wire.issues) {
        (None, None) => About::Test,
        (Some(_), Some(_)) => return Err("it is of an incident and of issues".into()),
        (None, Some(news)) => About::Issues(news.try_into()?),
        (Some(story), None) => About::Incident(domain::Story {
            event: EventKind::parse(&story.event).ok_or_else(|| format!("{:?} is no event", story.event))?,
            monitor: parsed(&story.monitor)?,
            monitor_name: story.monitor_name,
            monitor_kind: story.monitor_kind,
            monitor_target: story.monitor_target,
            incident: parsed(&story.incident)?,
            started: Timestamp::from_millis(story.started_ms),
            ended: story.ended_ms.map(Timestamp::from_millis),
            cause: cause::Cause::try_from(story.cause)?,
            link: story.link,
        }),
    };
    Ok(domain::Notice { about, at: Timestamp::from_millis(wire.at_ms) })
}
