//! What a person decided about a monitor: an open part, and a secret one (credentials and header values) that is
//! sealed. Name, interval and the like have columns of their own.

use std::time::Duration;

use gazer_domain::assertion::{Assertion, Op, StatusSet};
use gazer_domain::http::{self as domain, HttpSpec, Method, Trust};
use gazer_domain::monitor::{Spec, Verify};
use gazer_domain::time::millis;
use serde::{Deserialize, Serialize};

use crate::attempt::JsonValue;
use crate::{Unreadable, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    http: Http,
    verify_attempts: u8,
    verify_gap_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    url: String,
    method: String,
    /// Names only; the values are secret, in the same order.
    headers: Vec<String>,
    body: Option<String>,
    redirects: u8,
    verify_tls: bool,
    timeout_ms: u64,
    assertions: Vec<Asserted>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Asserted {
    Status { r#in: String },
    Header { name: String, op: String, value: String },
    Body { op: String, value: String },
    Json { path: String, op: String, value: JsonValue },
    Time { op: String, limit_ms: u64 },
    Certificate { op: String, left_ms: u64 },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    headers: Vec<String>,
    auth: Option<Auth>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Auth {
    Basic { user: String, password: String },
    Bearer { token: String },
}

/// The open part as JSON, and the secret one as bytes to seal, if there is any.
pub fn split(spec: &Spec, verify: Verify) -> (String, Option<Vec<u8>>) {
    let Spec::Http(http) = spec;
    let open = Open {
        http: Http {
            url: http.url.to_string(),
            method: http.method.as_str().to_owned(),
            headers: http.headers.iter().map(|(name, _)| name.clone()).collect(),
            body: http.body.clone(),
            redirects: http.redirects,
            verify_tls: http.trust == Trust::Verified,
            timeout_ms: millis(http.timeout).unsigned_abs(),
            assertions: http.assertions.iter().map(Asserted::from).collect(),
        },
        verify_attempts: verify.attempts,
        verify_gap_ms: millis(verify.gap).unsigned_abs(),
    };
    if http.headers.is_empty() && http.auth.is_none() {
        return (crate::write(&open), None);
    }
    let auth = http.auth.as_ref().map(|auth| match auth {
        domain::Auth::Basic { user, password } => Auth::Basic { user: user.clone(), password: password.clone() },
        domain::Auth::Bearer { token } => Auth::Bearer { token: token.clone() },
    });
    let secret = Secret { headers: http.headers.iter().map(|(_, value)| value.clone()).collect(), auth };
    (crate::write(&open), Some(crate::write(&secret).into_bytes()))
}

pub fn join(open: &str, secret: Option<&[u8]>) -> Result<(Spec, Verify), Unreadable> {
    let Open { http, verify_attempts, verify_gap_ms } = crate::read(open)?;
    let secret: Secret = match secret {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|_| "its secret part is not what was sealed")?,
        None => Secret::default(),
    };
    if secret.headers.len() != http.headers.len() {
        return Err(format!("{} headers have {} values", http.headers.len(), secret.headers.len()));
    }
    let spec = HttpSpec {
        url: parsed(&http.url)?,
        method: Method::parse(&http.method).map_err(|err| err.to_string())?,
        headers: http.headers.into_iter().zip(secret.headers).collect(),
        body: http.body,
        auth: secret.auth.map(|auth| match auth {
            Auth::Basic { user, password } => domain::Auth::Basic { user, password },
            Auth::Bearer { token } => domain::Auth::Bearer { token },
        }),
        redirects: http.redirects,
        trust: if http.verify_tls { Trust::Verified } else { Trust::Any },
        timeout: Duration::from_millis(http.timeout_ms),
        assertions: http.assertions.into_iter().map(Assertion::try_from).collect::<Result<_, _>>()?,
    };
    let verify = Verify { attempts: verify_attempts, gap: Duration::from_millis(verify_gap_ms) };
    Ok((Spec::Http(spec), verify))
}

impl From<&Assertion> for Asserted {
    fn from(assertion: &Assertion) -> Self {
        let text = |op: &Op| op.as_str().to_owned();
        match assertion {
            Assertion::Status(set) => Self::Status { r#in: set.to_string() },
            Assertion::Header { name, op, value } => {
                Self::Header { name: name.clone(), op: text(op), value: value.clone() }
            }
            Assertion::Body { op, value } => Self::Body { op: text(op), value: value.clone() },
            Assertion::Json { path, op, value } => Self::Json { path: path.clone(), op: text(op), value: value.into() },
            Assertion::Time { op, limit } => Self::Time { op: text(op), limit_ms: millis(*limit).unsigned_abs() },
            Assertion::Certificate { op, left } => {
                Self::Certificate { op: text(op), left_ms: millis(*left).unsigned_abs() }
            }
        }
    }
}

impl TryFrom<Asserted> for Assertion {
    type Error = Unreadable;
    fn try_from(wire: Asserted) -> Result<Self, Unreadable> {
        let operator = |text: String| Op::parse(&text).ok_or_else(|| format!("{text:?} is no operator"));
        Ok(match wire {
            Asserted::Status { r#in } => Self::Status(StatusSet::parse(&r#in)?),
            Asserted::Header { name, op, value } => Self::Header { name, op: operator(op)?, value },
            Asserted::Body { op, value } => Self::Body { op: operator(op)?, value },
            Asserted::Json { path, op, value } => Self::Json { path, op: operator(op)?, value: value.into() },
            Asserted::Time { op, limit_ms } => Self::Time { op: operator(op)?, limit: Duration::from_millis(limit_ms) },
            Asserted::Certificate { op, left_ms } => {
                Self::Certificate { op: operator(op)?, left: Duration::from_millis(left_ms) }
            }
        })
    }
}
