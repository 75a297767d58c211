//! What a probe saw: facts only. Whether they are good or bad is for [`crate::verdict`].

use std::net::SocketAddr;
use std::time::Duration;

use crate::cause::Cause;
use crate::{MonitorId, Timestamp};

/// Where the time of one request went, in microseconds. A phase that did not happen is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    pub dns: u32,
    pub connect: u32,
    pub tls: u32,
    pub send: u32,
    pub first_byte: u32,
    pub download: u32,
}

impl Phases {
    pub const NAMES: [&'static str; 6] = ["dns", "connect", "tls", "send", "first_byte", "download"];

    pub const fn in_order(&self) -> [u32; 6] {
        [self.dns, self.connect, self.tls, self.send, self.first_byte, self.download]
    }

    pub fn total_us(&self) -> u64 {
        self.in_order().iter().map(|&us| u64::from(us)).sum()
    }

    /// Adds the phases of another hop, so a redirected check still has one bar per phase.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            dns: self.dns.saturating_add(other.dns),
            connect: self.connect.saturating_add(other.connect),
            tls: self.tls.saturating_add(other.tls),
            send: self.send.saturating_add(other.send),
            first_byte: self.first_byte.saturating_add(other.first_byte),
            download: self.download.saturating_add(other.download),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    Http10,
    Http11,
    Http2,
}

impl HttpVersion {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// The request as it went out, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// At most this much of an answer's body is read; what lies beyond is not looked at.
pub const MOST_BODY_BYTES: u64 = 1 << 20;

/// The answer as it came back. `body` is a bounded excerpt, and only of answers that are kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub version: HttpVersion,
    pub headers: Vec<(String, String)>,
    /// Bytes of the decoded body that were read.
    pub body_bytes: u64,
    pub body: Option<Excerpt>,
}

impl Answer {
    /// True if the body may go on beyond what was read of it.
    pub fn is_cut(&self) -> bool {
        self.body_bytes >= MOST_BODY_BYTES
    }

    /// The first header of that name, compared without case.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.lines(name).next()
    }

    /// Every header of that name, compared without case.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The start of a body, as text with replacement characters where it was not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub text: String,
    pub truncated: bool,
}

/// The leaf certificate that the site presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
}

/// One request and its answer; a redirect makes another hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub request: Request,
    pub address: Option<SocketAddr>,
    pub phases: Phases,
    pub answer: Option<Answer>,
    pub certificate: Option<Certificate>,
}

/// What an assertion asked of the body: bodies do not travel, these do.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The assertion needs nothing from the body.
    NotAsked,
    /// Whether the text or the pattern was found.
    Found(bool),
    Value(JsonValue),
    /// Why there is no value: no JSON, no such path, more than one.
    Missing(String),
}

/// A JSON value as far as comparison needs it; arrays and objects are their compact text.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValue {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Compound(String),
}

/// One try: the hops it took and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub started: Timestamp,
    /// From the start to the end of the last phase.
    pub took: Duration,
    pub hops: Vec<Hop>,
    /// What kept the last hop from being answered in full.
    pub fault: Option<Cause>,
    /// One per assertion of the monitor, in their order; empty if there was a fault.
    pub facts: Vec<Fact>,
}

impl Attempt {
    pub fn last(&self) -> Option<&Hop> {
        self.hops.last()
    }

    pub fn answer(&self) -> Option<&Answer> {
        self.last().and_then(|hop| hop.answer.as_ref())
    }

    pub fn certificate(&self) -> Option<&Certificate> {
        self.last().and_then(|hop| hop.certificate.as_ref())
    }

    pub fn phases(&self) -> Phases {
        self.hops.iter().fold(Phases::default(), |sum, hop| sum.plus(hop.phases))
    }
}

/// One check of one monitor in one region, judged where it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub monitor: MonitorId,
    /// Revision of the monitor that was checked; the judge drops what was made from an older one.
    pub revision: u32,
    pub slot: Timestamp,
    /// When the first attempt began: `started - slot` is our lateness.
    pub started: Timestamp,
    /// From the first attempt's start to the end of the last; slots that it overlaps are covered by it.
    pub took: Duration,
    pub judgement: crate::verdict::Judgement,
    pub phases: Phases,
    /// Earliest expiry of the presented certificate.
    pub certificate_until: Option<Timestamp>,
    /// Every attempt if the verdict is not `up`, or if somebody asked to see; empty otherwise.
    pub attempts: Vec<Attempt>,
}

impl Observation {
    pub fn ended(&self) -> Timestamp {
        self.started + self.took
    }
}
