//! One message to a few mailboxes, through the operator's server.
//!
//! The message is a pure function of the notice, its id and its recipients, date and boundary included: whoever
//! receives an attempt twice receives the same message under the same Message-ID, which most mailboxes show once.
//!
//! Each mailbox has its own answer. Nothing is remembered between attempts, so to ask one again is to tell all of them
//! again, up to twelve times. Hence once one mailbox took the message it is delivered, and the receipt names the others
//! with what was said of them. If none took it, and one of them may yet, all are asked again.

mod render;
mod server;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gazer_domain::channel::{About, Notice};
use gazer_domain::delivery::Outcome;
use gazer_domain::time::humane_duration;
use gazer_domain::{DeliveryId, Timestamp};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes, Message, MessageBuilder, MultiPart, SinglePart, header};
use lettre::{Address, address::Envelope};
use tokio::time::Instant;

use server::Server;
use transport::Answer;

const SENDER_NAME: &str = "Gazer";

/// The operator's mail server and the address that alerts come from; cheap to clone.
#[derive(Clone)]
pub struct Mail {
    server: Arc<Server>,
    from: Mailbox,
}

/// What is wrong with the settings of the mail server.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the mail server must be a URL such as smtp://user:password@mail.example.com:587")]
    Url(#[source] url::ParseError),
    #[error("the mail server's URL must begin with smtp:// or smtps://, not {scheme}:")]
    Scheme { scheme: String },
    #[error("the mail server's URL names no host")]
    Host,
    #[error("the mail server's URL must end after its port, and not with {path}")]
    Path { path: String },
    #[error("the mail server's URL has {option}; smtp:// takes tls=required, tls=opportunistic or tls=none")]
    Option { option: String },
    #[error("the mail server's URL must hold a user and a password, percent-encoded, or neither")]
    Credentials,
    #[error("{text:?} is not an address to send from, such as alerts@example.com or Gazer <alerts@example.com>")]
    From {
        text: String,
        #[source]
        source: lettre::address::AddressError,
    },
    #[error("the extra root for the mail server is no PEM certificate")]
    Root {
        #[source]
        source: Option<lettre::transport::smtp::Error>,
    },
    #[error("TLS to the mail server cannot be set up")]
    Tls {
        #[source]
        source: lettre::transport::smtp::Error,
    },
}

impl Mail {
    /// `smtp://user:password@host:587` (STARTTLS required; `?tls=opportunistic` or `?tls=none` ask for less) or
    /// `smtps://user:password@host:465`. `from` is an address, with or without a name before it.
    pub fn from_url(url: &str, from: &str) -> Result<Self, MailError> {
        Self::build(url, from, None)
    }

    /// The same, for a server whose certificate hangs from `root` (PEM, one or more certificates): the public roots
    /// stay trusted beside it.
    pub fn from_url_trusting(url: &str, from: &str, root: &[u8]) -> Result<Self, MailError> {
        Self::build(url, from, Some(root))
    }

    fn build(url: &str, from: &str, root: Option<&[u8]>) -> Result<Self, MailError> {
        let mut from: Mailbox =
            from.trim().parse().map_err(|source| MailError::From { text: from.to_owned(), source })?;
        from.name.get_or_insert_with(|| SENDER_NAME.to_owned());
        Ok(Self { server: Arc::new(Server::from_url(url, root)?), from })
    }

    pub(crate) async fn send(&self, id: &DeliveryId, to: &[String], notice: &Notice) -> Outcome {
        self.give(to, |to| self.message(id, to, notice)).await
    }

    /// A text for the operator, who needs no more.
    pub(crate) async fn send_plain(
        &self,
        id: &DeliveryId,
        to: &str,
        subject: &str,
        text: String,
        at: Timestamp,
    ) -> Outcome {
        let written = |to: &[Address]| finished(self.head(id, to, subject, at).singlepart(SinglePart::plain(text)));
        self.give(&[to.to_owned()], written).await
    }

    /// Hands over what is written to those who can be written to.
    async fn give(&self, to: &[String], written: impl FnOnce(&[Address]) -> Vec<u8> + Send) -> Outcome {
        let started = Instant::now();
        let mut answers = Vec::with_capacity(to.len());
        let mut mailboxes = Vec::with_capacity(to.len());
        for text in to {
            match text.parse::<Address>() {
                Ok(address) => mailboxes.push(address),
                Err(_) => answers.push((text.clone(), Answer::Never("not an e-mail address".into()))),
            }
        }
        if !mailboxes.is_empty() {
            let message = written(&mailboxes);
            let given = transport::hand_over(&self.server, &self.from.email, &mailboxes, &message).await;
            answers.extend(mailboxes.iter().map(ToString::to_string).zip(given));
        }
        outcome(answers, started.elapsed())
    }

    fn message(&self, id: &DeliveryId, to: &[Address], notice: &Notice) -> Vec<u8> {
        let mut builder = self.head(id, to, &render::subject(notice), notice.at);
        if let About::Incident(story) = &notice.about {
            // A root that is never sent: whichever of its messages a mailbox has, they stand together.
            builder = builder.references(format!("<{}@{}>", story.incident, self.from.email.domain()));
        }
        let alternatives = MultiPart::alternative()
            .boundary(format!("=_{id}"))
            .singlepart(SinglePart::plain(render::text(notice)))
            .singlepart(SinglePart::html(render::html(notice)));
        finished(builder.multipart(alternatives))
    }

    /// What every message of ours begins with.
    fn head(&self, id: &DeliveryId, to: &[Address], subject: &str, at: Timestamp) -> MessageBuilder {
        let everyone: Mailboxes = to.iter().map(|address| Mailbox::new(None, address.clone())).collect();
        let envelope = Envelope::new(Some(self.from.email.clone()), to.to_vec());
        Message::builder()
            .envelope(envelope.expect("there is a recipient"))
            .from(self.from.clone())
            .mailbox(header::To::from(everyone))
            .subject(subject)
            .date(date(at))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // RFC 3834 §5: nobody's holiday notice should answer a machine.
            .raw_header(raw("Auto-Submitted", "auto-generated"))
    }
}

fn finished(message: Result<Message, lettre::error::Error>) -> Vec<u8> {
    message.expect("it has a sender and an envelope").formatted()
}

/// `Debug` shows no password.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({} from {})", self.server, self.from)
    }
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// When it happened, not when it is sent: every attempt is the same message.
fn date(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0))
}

fn outcome(answers: Vec<(String, Answer)>, took: Duration) -> Outcome {
    let (mut taken, mut others, mut may_come_right) = (None, Vec::new(), false);
    for (address, answer) in answers {
        match answer {
            Answer::Taken(receipt) => taken = Some(receipt),
            Answer::Later(why) => {
                may_come_right = true;
                others.push((address, why));
            }
            Answer::Never(why) => others.push((address, why)),
        }
    }
    match taken {
        Some(receipt) if others.is_empty() => {
            Outcome::Delivered { receipt: format!("{receipt} in {}", humane_duration(took)) }
        }
        Some(receipt) => Outcome::Delivered {
            receipt: format!("{receipt} in {}; not taken: {}", humane_duration(took), complaints(&others)),
        },
        None if may_come_right => Outcome::Retry { why: complaints(&others), after: None },
        None => Outcome::Refused { why: complaints(&others) },
    }
}

/// One sentence per reason, with the mailboxes that it befell.
fn complaints(of: &[(String, String)]) -> String {
    let mut befallen: Vec<(&str, Vec<&str>)> = Vec::new();
    for (who, why) in of {
        match befallen.iter_mut().find(|(known, _)| known == why) {
            Some((_, addresses)) => addresses.push(who),
            None => befallen.push((why, vec![who])),
        }
    }
    let sentences = befallen.iter().map(|(why, addresses)| format!("{}: {why}", addresses.join(", ")));
    sentences.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
