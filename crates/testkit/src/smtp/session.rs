//! One conversation: a command, a reply, until QUIT.

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::{Mail, Stage, State};
use crate::now::now;
use crate::record::lock;

/// How a conversation ended.
pub(super) enum End<S> {
    Quit,
    /// The client asked for TLS and was told to go ahead.
    Upgrade(S),
}

pub(super) struct Session {
    state: Arc<State>,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    pub(super) fn clear(state: Arc<State>) -> Self {
        Self { state, encrypted: false, user: None, from: None, to: Vec::new() }
    }

    pub(super) fn encrypted(state: Arc<State>) -> Self {
        Self { encrypted: true, ..Self::clear(state) }
    }

    pub(super) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S) -> io::Result<End<S>> {
        if let Some(reply) = self.state.reject(Stage::Greeting) {
            say(&mut stream, &reply).await?;
            return Ok(End::Quit);
        }
        say(&mut stream, "220 mail.test ESMTP").await?;
        self.resume(stream).await
    }

    /// After STARTTLS there is no second greeting (RFC 3207, 4.2).
    pub(super) async fn resume<S: AsyncRead + AsyncWrite + Unpin>(mut self, stream: S) -> io::Result<End<S>> {
        let mut stream = BufReader::new(stream);
        loop {
            let Some(line) = line(&mut stream).await? else { return Ok(End::Quit) };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let reply = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(),
                "HELO" => "250 mail.test".to_owned(),
                "NOOP" => "250 2.0.0 nothing done".to_owned(),
                "RSET" => {
                    self.forget();
                    "250 2.0.0 forgotten".to_owned()
                }
                "STARTTLS" if self.state.tls.is_some() && !self.encrypted => {
                    say(stream.get_mut(), "220 2.0.0 go ahead").await?;
                    // What the client sent in clear after STARTTLS must not count: it goes with the buffer.
                    return Ok(End::Upgrade(stream.into_inner()));
                }
                "AUTH" => self.sign_in(rest, &mut stream).await?,
                "MAIL" => self.mail_from(rest),
                "RCPT" => self.recipient(rest),
                "DATA" => self.data(&mut stream).await?,
                "QUIT" => {
                    say(stream.get_mut(), "221 2.0.0 farewell").await?;
                    return Ok(End::Quit);
                }
                _ => "502 5.5.1 no such command here".to_owned(),
            };
            say(stream.get_mut(), &reply).await?;
        }
    }

    fn hello(&self) -> String {
        let mut lines = vec!["mail.test", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        if self.state.tls.is_some() && !self.encrypted {
            lines.push("STARTTLS");
        }
        if lock(&self.state.login).is_some() {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.len() - 1;
        let marked = lines.iter().enumerate();
        let lines: Vec<_> =
            marked.map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' })).collect();
        lines.join("\r\n")
    }

    async fn sign_in<S>(&mut self, rest: &str, stream: &mut BufReader<S>) -> io::Result<String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (how, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = match how.to_ascii_uppercase().as_str() {
            // RFC 4616: authorisation identity, name and password, between them a zero byte.
            "PLAIN" => {
                let answer = if initial.is_empty() { challenge(stream, "").await? } else { decode(initial) };
                let mut parts = answer.splitn(3, '\0').skip(1).map(str::to_owned);
                parts.next().zip(parts.next())
            }
            "LOGIN" => {
                let user = if initial.is_empty() { challenge(stream, "Username:").await? } else { decode(initial) };
                Some((user, challenge(stream, "Password:").await?))
            }
            _ => return Ok("504 5.5.4 no such mechanism here".to_owned()),
        };
        if given.is_none() || given != *lock(&self.state.login) {
            return Ok("535 5.7.8 wrong name or password".to_owned());
        }
        self.user = given.map(|(user, _)| user);
        Ok("235 2.7.0 welcome".to_owned())
    }

    fn mail_from(&mut self, rest: &str) -> String {
        if self.user.is_none() && lock(&self.state.login).is_some() {
            return "530 5.7.0 sign in first".to_owned();
        }
        if let Some(reply) = self.state.reject(Stage::MailFrom) {
            return reply;
        }
        let Some(from) = path(rest, "FROM:") else { return "501 5.5.4 MAIL FROM:<address>".to_owned() };
        self.forget();
        self.from = Some(from);
        "250 2.1.0 sender noted".to_owned()
    }

    fn recipient(&mut self, rest: &str) -> String {
        if self.from.is_none() {
            return "503 5.5.1 MAIL first".to_owned();
        }
        if let Some(reply) = self.state.reject(Stage::Recipient) {
            return reply;
        }
        let Some(to) = path(rest, "TO:") else { return "501 5.5.4 RCPT TO:<address>".to_owned() };
        self.to.push(to);
        "250 2.1.5 recipient noted".to_owned()
    }

    async fn data<S>(&mut self, stream: &mut BufReader<S>) -> io::Result<String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.to.is_empty() {
            return Ok("503 5.5.1 RCPT first".to_owned());
        }
        say(stream.get_mut(), "354 end with a dot").await?;
        let mut data = String::new();
        loop {
            let Some(line) = line(stream).await? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            if line == "." {
                break;
            }
            // RFC 5321, 4.5.2: a leading dot was doubled on the way.
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push_str("\r\n");
        }
        let from = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        if let Some(reply) = self.state.reject(Stage::Data) {
            return Ok(reply);
        }
        let mail = Mail { at: now(), from, to, data, encrypted: self.encrypted, user: self.user.clone() };
        self.state.mails.push(mail);
        Ok("250 2.0.0 kept".to_owned())
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

/// `FROM:<a@b> SIZE=3` → `a@b`
fn path(rest: &str, keyword: &str) -> Option<String> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    let inside = tail.trim_start().strip_prefix('<')?.split_once('>')?.0;
    head.eq_ignore_ascii_case(keyword).then(|| inside.to_owned())
}

async fn challenge<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, text: &str) -> io::Result<String> {
    say(stream.get_mut(), &format!("334 {}", STANDARD.encode(text))).await?;
    Ok(decode(&line(stream).await?.unwrap_or_default()))
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned()
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, reply: &str) -> io::Result<()> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// A line without its end; `None` when the client has left.
async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if stream.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
