//! The operator's mail server, and one dialogue with it.
//!
//! A connection per message: alerts are rare, and a pooled connection that went stale would cost one its first attempt.
//! The dialogue is ours rather than a ready transport's because each recipient has an answer of its own: one mailbox
//! that is gone must not keep the alert from the others.

use std::fmt;
use std::future::Future;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout_at};

use super::server::{Security, Server};
use crate::{ATTEMPT, quoted};

/// What one mailbox, or the server for all of them, answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Taken(String),
    /// Worth another try.
    Later(String),
    Never(String),
}

impl Answer {
    /// Before a recipient is named, a refusal is about the server and our settings (a password that changed, a
    /// greeting of 554, a sender it does not relay for), not about the message: once that is repaired, all go.
    fn postponed(self) -> Self {
        match self {
            Self::Never(why) => Self::Later(why),
            Self::Taken(_) | Self::Later(_) => self,
        }
    }
}

/// Which part of the dialogue did not come out well; it prints as what we were about to do.
#[derive(Debug, Clone, Copy)]
enum Step {
    Greeting,
    StartTls,
    SignIn,
    Sender,
    Recipient,
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "connecting",
            Self::StartTls => "STARTTLS",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming a recipient",
            Self::Content => "handing over the message",
        })
    }
}

/// One dialogue under one deadline.
struct Dialogue<'a> {
    server: &'a Server,
    hello: ClientId,
    deadline: Instant,
}

/// Hands one message to the server, and answers for each recipient in the order given.
pub(super) async fn hand_over(server: &Server, from: &Address, to: &[Address], message: &[u8]) -> Vec<Answer> {
    let hello = ClientId::Domain(from.domain().to_owned());
    let dialogue = Dialogue { server, hello, deadline: Instant::now() + ATTEMPT };
    match dialogue.run(from, to, message).await {
        Ok(answers) => answers,
        Err(answer) => vec![answer; to.len()],
    }
}

impl Dialogue<'_> {
    /// `Err` is the one answer that goes for every recipient.
    async fn run(&self, from: &Address, to: &[Address], message: &[u8]) -> Result<Vec<Answer>, Answer> {
        let mut connection = self.open().await.map_err(Answer::postponed)?;
        let sender = MailFrom::new(Some(from.clone()), Vec::new());
        self.within(Step::Sender, connection.command(sender)).await.map_err(Answer::postponed)?;
        let mut answers = Vec::with_capacity(to.len());
        for address in to {
            let recipient = Rcpt::new(address.clone(), Vec::new());
            answers.push(match self.within(Step::Recipient, connection.command(recipient)).await {
                Ok(_) => Answer::Taken(String::new()),
                Err(refusal) => refusal,
            });
        }
        if answers.iter().any(|answer| matches!(answer, Answer::Taken(_))) {
            let content = async {
                connection.command(Data).await?;
                connection.message(message).await
            };
            let verdict = match self.within(Step::Content, content).await {
                Ok(reply) => Answer::Taken(format!("{} answered {}", self.server, spoken(&reply))),
                Err(refusal) => refusal,
            };
            answers.iter_mut().filter(|answer| matches!(answer, Answer::Taken(_))).for_each(|a| *a = verdict.clone());
        }
        // The message is theirs, or it is not; how they take their leave changes nothing.
        let _ = timeout_at(self.deadline, connection.quit()).await;
        Ok(answers)
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Answer> {
        let server = self.server;
        let wrapped = match &server.security {
            Security::Wrapped(tls) => Some(tls.clone()),
            Security::Required(_) | Security::Opportunistic(_) | Security::None => None,
        };
        let address = (server.host.as_str(), server.port);
        let connect = AsyncSmtpConnection::connect_tokio1(address, Some(ATTEMPT), &self.hello, wrapped, None);
        let mut connection = self.within(Step::Greeting, connect).await?;
        match &server.security {
            Security::Required(tls) => self.start_tls(&mut connection, tls).await?,
            Security::Opportunistic(tls) if connection.can_starttls() => self.start_tls(&mut connection, tls).await?,
            Security::Opportunistic(_) | Security::Wrapped(_) | Security::None => {}
        }
        if let Some(credentials) = &server.credentials {
            self.sign_in(&mut connection, credentials).await?;
        }
        Ok(connection)
    }

    async fn start_tls(&self, connection: &mut AsyncSmtpConnection, tls: &TlsParameters) -> Result<(), Answer> {
        if !connection.can_starttls() {
            let why =
                "offers no STARTTLS, and without it the mail could be read on its way (add ?tls=none to allow that)";
            return Err(Answer::Later(format!("{} {why}", self.server)));
        }
        self.within(Step::StartTls, connection.starttls(tls.clone(), &self.hello)).await
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection, credentials: &Credentials) -> Result<(), Answer> {
        // Whoever strips STARTTLS from the greeting must not be given the password for it.
        if matches!(self.server.security, Security::Opportunistic(_)) && !connection.is_encrypted() {
            let why = "offers no STARTTLS, and the password is not sent in the clear (use ?tls=none to allow that)";
            return Err(Answer::Later(format!("{} {why}", self.server)));
        }
        self.within(Step::SignIn, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        Ok(())
    }

    async fn within<T>(&self, step: Step, work: impl Future<Output = Result<T, Error>>) -> Result<T, Answer> {
        let server = self.server;
        match timeout_at(self.deadline, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if error.is_permanent() => {
                Err(Answer::Never(format!("{server}, {step}: {}", cause(&error))))
            }
            Ok(Err(error)) => Err(Answer::Later(format!("{server}, {step}: {}", cause(&error)))),
            Err(_) => Err(Answer::Later(format!("{server}, {step}: no answer within {} s", ATTEMPT.as_secs()))),
        }
    }
}

/// `250 2.0.0 Ok: queued as 4Tx`: what the operator of the mail server searches the log for.
fn spoken(reply: &Response) -> String {
    quoted(&format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join(" ")))
}

/// The server's words after its code; otherwise the innermost cause, which the outer ones only repeat.
fn cause(error: &Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match error.status() {
        Some(code) => quoted(&format!("{code} {innermost}")),
        None => quoted(&innermost.to_string()),
    }
}
