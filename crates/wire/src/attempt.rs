//! Attempts, as evidence keeps them.

use std::net::SocketAddr;
use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::cause::{self, Code};
use gazer_domain::observation::{self as domain, HttpVersion};
use serde::{Deserialize, Serialize};

use crate::{Unreadable, micros};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    started_ms: i64,
    took_us: u64,
    hops: Vec<Hop>,
    fault: Option<Cause>,
    facts: Vec<Fact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cause {
    code: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hop {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    address: Option<SocketAddr>,
    phases_us: [u32; 6],
    answer: Option<Answer>,
    certificate: Option<Certificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    version: String,
    headers: Vec<(String, String)>,
    body_bytes: u64,
    body: Option<Excerpt>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Excerpt {
    text: String,
    truncated: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    not_before_ms: i64,
    not_after_ms: i64,
    subject: String,
    issuer: String,
    names: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    NotAsked,
    Found(bool),
    Value(JsonValue),
    Missing(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JsonValue {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Compound(String),
}

pub fn to_json(attempts: &[domain::Attempt]) -> String {
    crate::write(&attempts.iter().map(Attempt::from).collect::<Vec<_>>())
}

pub fn from_json(text: &str) -> Result<Vec<domain::Attempt>, Unreadable> {
    crate::read::<Vec<Attempt>>(text)?.into_iter().map(domain::Attempt::try_from).collect()
}

impl From<&domain::Attempt> for Attempt {
    fn from(attempt: &domain::Attempt) -> Self {
        Self {
            started_ms: attempt.started.millis(),
            took_us: micros(attempt.took),
            hops: attempt.hops.iter().map(Hop::from).collect(),
            fault: attempt.fault.as_ref().map(Cause::from),
            facts: attempt.facts.iter().map(Fact::from).collect(),
        }
    }
}

impl TryFrom<Attempt> for domain::Attempt {
    type Error = Unreadable;
    fn try_from(wire: Attempt) -> Result<Self, Unreadable> {
        Ok(Self {
            started: Timestamp::from_millis(wire.started_ms),
            took: Duration::from_micros(wire.took_us),
            hops: wire.hops.into_iter().map(domain::Hop::try_from).collect::<Result<_, _>>()?,
            fault: wire.fault.map(cause::Cause::try_from).transpose()?,
            facts: wire.facts.into_iter().map(domain::Fact::from).collect(),
        })
    }
}

impl From<&cause::Cause> for Cause {
    fn from(cause: &cause::Cause) -> Self {
        Self { code: cause.code.as_str().to_owned(), text: cause.text.clone() }
    }
}

impl TryFrom<Cause> for cause::Cause {
    type Error = Unreadable;
    fn try_from(wire: Cause) -> Result<Self, Unreadable> {
        let code = Code::parse(&wire.code).ok_or_else(|| format!("{:?} is no cause code", wire.code))?;
        Ok(Self { code, text: wire.text })
    }
}

impl From<&domain::Hop> for Hop {
    fn from(hop: &domain::Hop) -> Self {
        Self {
            method: hop.request.method.clone(),
            url: hop.request.url.clone(),
            headers: hop.request.headers.clone(),
            address: hop.address,
            phases_us: hop.phases.in_order(),
            answer: hop.answer.as_ref().map(Answer::from),
            certificate: hop.certificate.as_ref().map(Certificate::from),
        }
    }
}

impl TryFrom<Hop> for domain::Hop {
    type Error = Unreadable;
    fn try_from(wire: Hop) -> Result<Self, Unreadable> {
        let [dns, connect, tls, send, first_byte, download] = wire.phases_us;
        Ok(Self {
            request: domain::Request { method: wire.method, url: wire.url, headers: wire.headers },
            address: wire.address,
            phases: domain::Phases { dns, connect, tls, send, first_byte, download },
            answer: wire.answer.map(domain::Answer::try_from).transpose()?,
            certificate: wire.certificate.map(domain::Certificate::from),
        })
    }
}

impl From<&domain::Answer> for Answer {
    fn from(answer: &domain::Answer) -> Self {
        let body = answer.body.as_ref();
        Self {
            status: answer.status,
            version: answer.version.as_str().to_owned(),
            headers: answer.headers.clone(),
            body_bytes: answer.body_bytes,
            body: body.map(|body| Excerpt { text: body.text.clone(), truncated: body.truncated }),
        }
    }
}

impl TryFrom<Answer> for domain::Answer {
    type Error = Unreadable;
    fn try_from(wire: Answer) -> Result<Self, Unreadable> {
        let versions = [HttpVersion::Http10, HttpVersion::Http11, HttpVersion::Http2];
        let version = versions.into_iter().find(|version| version.as_str() == wire.version);
        Ok(Self {
            status: wire.status,
            version: version.ok_or_else(|| format!("{:?} is no version of HTTP", wire.version))?,
            headers: wire.headers,
            body_bytes: wire.body_bytes,
            body: wire.body.map(|body| domain::Excerpt { text: body.text, truncated: body.truncated }),
        })
    }
}

impl From<&domain::Certificate> for Certificate {
    fn from(certificate: &domain::Certificate) -> Self {
        Self {
            not_before_ms: certificate.not_before.millis(),
            not_after_ms: certificate.not_after.millis(),
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            names: certificate.names.clone(),
        }
    }
}

impl From<Certificate> for domain::Certificate {
    fn from(wire: Certificate) -> Self {
        Self {
            not_before: Timestamp::from_millis(wire.not_before_ms),
            not_after: Timestamp::from_millis(wire.not_after_ms),
            subject: wire.subject,
            issuer: wire.issuer,
            names: wire.names,
        }
    }
}

impl From<&domain::Fact> for Fact {
    fn from(fact: &domain::Fact) -> Self {
        match fact {
            domain::Fact::NotAsked => Self::NotAsked,
            domain::Fact::Found(found) => Self::Found(*found),
            domain::Fact::Value(value) => Self::Value(value.into()),
            domain::Fact::Missing(why) => Self::Missing(why.clone()),
        }
    }
}

impl From<Fact> for domain::Fact {
    fn from(wire: Fact) -> Self {
        match wire {
            Fact::NotAsked => Self::NotAsked,
            Fact::Found(found) => Self::Found(found),
            Fact::Value(value) => Self::Value(value.into()),
            Fact::Missing(why) => Self::Missing(why),
        }
    }
}

impl From<&domain::JsonValue> for JsonValue {
    fn from(value: &domain::JsonValue) -> Self {
        match value {
            domain::JsonValue::Null => Self::Null,
            domain::JsonValue::Bool(value) => Self::Bool(*value),
            domain::JsonValue::Number(value) => Self::Number(*value),
            domain::JsonValue::Text(value) => Self::Text(value.clone()),
            domain::JsonValue::Compound(value) => Self::Compound(value.clone()),
        }
    }
}

impl From<JsonValue> for domain::JsonValue {
    fn from(wire: JsonValue) -> Self {
        match wire {
            JsonValue::Null => Self::Null,
            JsonValue::Bool(value) => Self::Bool(value),
            JsonValue::Number(value) => Self::Number(value),
            JsonValue::Text(value) => Self::Text(value),
            JsonValue::Compound(value) => Self::Compound(value),
        }
    }
}
