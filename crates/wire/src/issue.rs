//! What a process reports of its own errors, and what the operator is told of them.

use gazer_domain::issue::{self as domain, Kind, Report};
use gazer_domain::{Region, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Unreadable, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    fingerprint: String,
    function: String,
    message: String,
    version: String,
    count: u32,
    at_ms: i64,
    process: String,
}

/// The region is not written: it is that of the subject.
pub fn to_json(report: &Report) -> String {
    crate::write(&Reported {
        fingerprint: report.fingerprint.to_string(),
        function: report.function.clone(),
        message: report.message.clone(),
        version: report.version.clone(),
        count: report.count,
        at_ms: report.at.millis(),
        process: report.process.clone(),
    })
}

pub fn from_json(text: &str, region: Region) -> Result<Report, Unreadable> {
    let Reported { fingerprint, function, message, version, count, at_ms, process } = crate::read(text)?;
    let (fingerprint, at) = (parsed(&fingerprint)?, Timestamp::from_millis(at_ms));
    Ok(Report { fingerprint, function, message, version, count, at, process, region })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct News {
    kind: String,
    issues: Vec<Told>,
    more: u32,
    link: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    id: String,
    function: String,
    message: String,
    version: String,
    first_seen_ms: i64,
    last_seen_ms: i64,
    count: u64,
    repeats: u64,
    link: String,
}

impl From<&domain::News> for News {
    fn from(news: &domain::News) -> Self {
        let told = |told: &domain::Told| Told {
            id: told.id.to_string(),
            function: told.function.clone(),
            message: told.message.clone(),
            version: told.version.clone(),
            first_seen_ms: told.first_seen.millis(),
            last_seen_ms: told.last_seen.millis(),
            count: told.count,
            repeats: told.repeats,
            link: told.link.clone(),
        };
        let issues = news.issues.iter().map(told).collect();
        Self { kind: news.kind.as_str().to_owned(), issues, more: news.more, link: news.link.clone() }
    }
}

impl TryFrom<News> for domain::News {
    type Error = Unreadable;

    fn try_from(news: News) -> Result<Self, Unreadable> {
        let told = |told: Told| {
            Ok(domain::Told {
                id: parsed(&told.id)?,
                function: told.function,
                message: told.message,
                version: told.version,
                first_seen: Timestamp::from_millis(told.first_seen_ms),
                last_seen: Timestamp::from_millis(told.last_seen_ms),
                count: told.count,
                repeats: told.repeats,
                link: told.link,
            })
        };
        let kind = Kind::parse(&news.kind).ok_or_else(|| format!("{:?} is no news of an issue", news.kind))?;
        let issues = news.issues.into_iter().map(told).collect::<Result<_, Unreadable>>()?;
        Ok(Self { kind, issues, more: news.more, link: news.link })
    }
}
