//! Ways to reach someone, and what is said.

use std::fmt;

use url::Url;

use crate::access::Role;
use crate::cause::Cause;
use crate::incident::EventKind;
use crate::{IncidentId, Invalid, MonitorId, Timestamp, http, issue};

const MOST_RECIPIENTS: usize = 20;

/// A closed set that the compiler keeps complete. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// `secret` signs as Standard Webhooks 1.0 says; it is the decoded key.
    Webhook {
        url: Url,
        secret: Vec<u8>,
    },
    Email {
        to: Vec<String>,
    },
}

impl Target {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Email { .. } => "email",
        }
    }

    /// Where it sends, whole.
    pub fn address(&self) -> String {
        match self {
            Self::Webhook { url, .. } => url.to_string(),
            Self::Email { to } => to.join(", "),
        }
    }

    /// What anybody of the team recognises it by, and what may be logged: of a webhook no more than its host.
    pub fn label(&self) -> String {
        match self {
            Self::Webhook { url, .. } => format!("{}/…", url.origin().ascii_serialization()),
            Self::Email { .. } => self.address(),
        }
    }

    /// Where it sends, as far as somebody may know: services write their password into a webhook's path, and only who
    /// may change a channel reads that.
    pub fn seen_by(&self, role: Role) -> String {
        if role >= Role::Admin { self.address() } else { self.label() }
    }

    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Webhook { url, .. } => http::judge_url(url).map_err(|why| Invalid::new("webhook.url", why)),
            Self::Email { to } => validate_recipients(to),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.kind(), self.label())
    }
}

fn validate_recipients(to: &[String]) -> Result<(), Invalid> {
    if to.is_empty() || to.len() > MOST_RECIPIENTS {
        return Err(Invalid::new("email.to", "must name between 1 and 20 addresses"));
    }
    match to.iter().position(|address| !is_address(address)) {
        Some(i) => Err(Invalid::new(format!("email.to[{i}]"), "must be an e-mail address such as ann@example.com")),
        None => Ok(()),
    }
}

/// The part of RFC 5321 §4.1.2 that people use: no quotes, no comments, no domain literals.
fn is_address(text: &str) -> bool {
    let plain = |s: &str| {
        !s.is_empty() && !s.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c))
    };
    text.len() <= 254
        && text.rsplit_once('@').is_some_and(|(user, host)| plain(user) && plain(host) && user.len() <= 64)
}

/// One message, fixed when its event was committed: every attempt under the same id says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub about: About,
    /// When the event happened.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Somebody pressed the test button.
    Test,
    Incident(Story),
    /// For the operator.
    Issues(issue::News),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub event: EventKind,
    pub monitor: MonitorId,
    pub monitor_name: String,
    pub monitor_kind: String,
    pub monitor_target: String,
    pub incident: IncidentId,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub cause: Cause,
    /// Where the incident's page is.
    pub link: String,
}
