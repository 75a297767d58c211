//! What a check saw.

use gazer_domain::observation::{self as domain, Hop};
use gazer_domain::{Timestamp, cause};
use gazer_store::Answer;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MASK, Span, is_secret_header};

/// A stable code for programs and a sentence for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Cause {
    #[schema(example = "connection_refused")]
    code: &'static str,
    text: String,
}

/// One check: what it found, and every attempt it made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    /// The region that was the first to answer.
    region: String,
    slot: String,
    started_at: String,
    /// All attempts of it, and the gaps between them.
    took: Span,
    /// `up`, `slow`, `down` or `unknown`.
    verdict: &'static str,
    #[schema(required)]
    cause: Option<Cause>,
    attempts: Vec<Attempt>,
}

/// One try. What concerns one request is that of its last hop; `hops` has all of them where there were redirects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attempt {
    started_at: String,
    took_ms: f64,
    /// Null where no address was found.
    #[schema(required)]
    address: Option<String>,
    /// Of all hops together.
    phases: Phases,
    #[schema(required)]
    request: Option<Request>,
    #[schema(required)]
    response: Option<Response>,
    #[schema(required)]
    certificate: Option<Certificate>,
    /// What kept it from being answered in full.
    #[schema(required)]
    fault: Option<Cause>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hops: Vec<OneHop>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hop)]
struct OneHop {
    #[schema(required)]
    address: Option<String>,
    phases: Phases,
    request: Request,
    #[schema(required)]
    response: Option<Response>,
}

/// Milliseconds; 0 where a phase did not happen.
#[derive(Debug, Serialize, ToSchema)]
struct Phases {
    dns: f64,
    connect: f64,
    tls: f64,
    send: f64,
    first_byte: f64,
    download: f64,
}

/// As it went out; secrets are masked.
#[derive(Debug, Serialize, ToSchema)]
struct Request {
    method: String,
    url: String,
    headers: Vec<Header>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Response {
    status: u16,
    version: &'static str,
    headers: Vec<Header>,
    body_bytes: u64,
    /// The start of it, where it was kept.
    #[schema(required)]
    body: Option<String>,
    body_truncated: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Certificate {
    not_before: String,
    not_after: String,
    subject: String,
    issuer: String,
    names: Vec<String>,
}

impl From<&cause::Cause> for Cause {
    fn from(cause: &cause::Cause) -> Self {
        Self { code: cause.code.as_str(), text: cause.text.clone() }
    }
}

impl From<&Answer> for Checked {
    fn from(Answer { region, observation: seen }: &Answer) -> Self {
        Self {
            region: region.to_string(),
            slot: seen.slot.rfc3339(),
            started_at: seen.started.rfc3339(),
            took: Span(seen.took),
            verdict: seen.judgement.verdict.as_str(),
            cause: seen.judgement.cause.as_ref().map(Cause::from),
            attempts: seen.attempts.iter().map(Attempt::from).collect(),
        }
    }
}

impl From<&domain::Attempt> for Attempt {
    fn from(attempt: &domain::Attempt) -> Self {
        let last = attempt.last();
        let redirected = attempt.hops.len() > 1;
        Self {
            started_at: attempt.started.rfc3339(),
            took_ms: attempt.took.as_micros() as f64 / 1_000.0,
            address: last.and_then(address),
            phases: attempt.phases().into(),
            request: last.map(|hop| (&hop.request).into()),
            response: attempt.answer().map(Response::from),
            certificate: attempt.certificate().map(Certificate::from),
            fault: attempt.fault.as_ref().map(Cause::from),
            hops: attempt.hops.iter().filter(|_| redirected).map(OneHop::from).collect(),
        }
    }
}

fn address(hop: &Hop) -> Option<String> {
    hop.address.map(|address| address.to_string())
}

impl From<&Hop> for OneHop {
    fn from(hop: &Hop) -> Self {
        Self {
            address: address(hop),
            phases: hop.phases.into(),
            request: (&hop.request).into(),
            response: hop.answer.as_ref().map(Response::from),
        }
    }
}

impl From<domain::Phases> for Phases {
    fn from(phases: domain::Phases) -> Self {
        let [dns, connect, tls, send, first_byte, download] = phases.in_order().map(|us| f64::from(us) / 1_000.0);
        Self { dns, connect, tls, send, first_byte, download }
    }
}

impl From<&domain::Request> for Request {
    fn from(request: &domain::Request) -> Self {
        // The prober masked what it knew to be secret; what only its name gives away is masked here.
        let shown = |(name, value): &(String, String)| Header {
            name: name.clone(),
            value: if is_secret_header(name) { MASK.to_owned() } else { value.clone() },
        };
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.iter().map(shown).collect(),
        }
    }
}

impl From<&domain::Answer> for Response {
    fn from(answer: &domain::Answer) -> Self {
        let header = |(name, value): &(String, String)| Header { name: name.clone(), value: value.clone() };
        Self {
            status: answer.status,
            version: answer.version.as_str(),
            headers: answer.headers.iter().map(header).collect(),
            body_bytes: answer.body_bytes,
            body: answer.body.as_ref().map(|excerpt| excerpt.text.clone()),
            body_truncated: answer.body.as_ref().is_some_and(|excerpt| excerpt.truncated),
        }
    }
}

impl From<&domain::Certificate> for Certificate {
    fn from(certificate: &domain::Certificate) -> Self {
        let text = Timestamp::rfc3339;
        Self {
            not_before: text(certificate.not_before),
            not_after: text(certificate.not_after),
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            names: certificate.names.clone(),
        }
    }
}
