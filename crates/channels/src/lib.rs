//! One message to one service.
//!
//! A delivery is a row elsewhere; here it is one attempt: a `Notice` that was fixed when its event was committed, a
//! `Target` that says where to, and an `Outcome` that says whether to try again. Nothing is remembered between
//! attempts, so an attempt may run anywhere and may run twice: both carry the same id, and the same bytes under it.
//!
//! Webhooks leave through the door of `gazer-probes`, which judges the address it dials, for users choose it. Mail goes
//! to the one server that the operator configured, so it needs no judging.
//!
//! Deliberately absent: queues, retries and back-off (`functions` does these), and any channel that is not yet asked
//! for. A new one is a variant of `Target`; the compiler then leads here.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should say where"))]

mod email;
mod operator;
pub mod signature;
mod webhook;

#[cfg(test)]
mod sample;

use std::time::Duration;

use gazer_domain::channel::{Notice, Target};
use gazer_domain::delivery::Outcome;
use gazer_domain::{DeliveryId, Timestamp};
use gazer_probes::Prober;

pub use email::{Mail, MailError};
pub use operator::Operator;

/// How long one attempt may take in all: receivers that do their work before they answer take some seconds, and to give
/// up on one that took the message is to send it again. It must end well within the lease of the delivery. A drain does
/// not wait that long: it cuts what is in flight, and the lease brings it back under the same id.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Longest text that a receipt or a reason quotes from a service: enough to recognise an answer, too short to be one.
const QUOTED_CHARS: usize = 200;

/// Everything that a send needs; cheap to clone.
#[derive(Debug, Clone)]
pub struct Channels {
    prober: Prober,
    mail: Option<Mail>,
}

impl Channels {
    pub fn new(prober: Prober, mail: Option<Mail>) -> Self {
        Self { prober, mail }
    }

    /// One attempt. It cannot fail: whatever happens is an outcome.
    pub async fn send(&self, id: &DeliveryId, target: &Target, notice: &Notice, now: Timestamp) -> Outcome {
        match target {
            Target::Webhook { url, secret } => webhook::send(&self.prober, id, url, secret, notice, now).await,
            Target::Email { to } => match &self.mail {
                Some(mail) => mail.send(id, to, notice).await,
                // Our own settings are repaired by people, and then the message is still worth having.
                None => Outcome::Retry { why: "no mail server is configured: set --smtp-url".into(), after: None },
            },
        }
    }
}

/// What a stranger said, fit for one line of ours: no control characters, no runs of space, and an end.
fn quoted(text: &str) -> String {
    clipped(&one_line(text), QUOTED_CHARS)
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn clipped(text: &str, most_chars: usize) -> String {
    match text.char_indices().nth(most_chars) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_one_line_with_an_end() {
        assert_eq!(quoted(" a\r\n\tb\u{0}c  d "), "a b c d");
        assert_eq!(quoted(&"é".repeat(300)).chars().count(), QUOTED_CHARS + 1);
    }
}
