//! A mail server that keeps what it is given: RFC 5321 with STARTTLS, AUTH PLAIN and LOGIN, and rejections on command.

mod session;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_domain::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::ca::Leaf;
use crate::record::{Record, lock};
use crate::serve::{self, Server};

/// One accepted mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub at: Timestamp,
    /// The envelope, without angle brackets.
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body as sent, dots unstuffed.
    pub data: String,
    pub encrypted: bool,
    /// Who signed in.
    pub user: Option<String>,
}

impl Mail {
    /// The value of a header, unfolded; its name in any case.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// Which command is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    MailFrom,
    Recipient,
    /// After the whole mail was sent; a rejected mail is not kept.
    Data,
}

#[derive(Debug)]
struct Rejection {
    stage: Stage,
    times: usize,
    /// `451 4.3.0 try later`
    reply: String,
}

struct State {
    mails: Record<Mail>,
    rejections: Mutex<Vec<Rejection>>,
    login: Mutex<Option<(String, String)>>,
    tls: Option<TlsAcceptor>,
}

impl State {
    /// The rejection that this stage has coming, if any.
    fn reject(&self, stage: Stage) -> Option<String> {
        let mut rejections = lock(&self.rejections);
        let next = rejections.iter_mut().find(|rejection| rejection.stage == stage && rejection.times > 0)?;
        next.times -= 1;
        Some(next.reply.clone())
    }
}

/// How TLS begins.
#[derive(Debug, Clone, Copy)]
pub enum Security<'a> {
    None,
    StartTls(&'a Leaf),
    /// TLS from the first byte, as on port 465.
    Implicit(&'a Leaf),
}

/// Dropping it closes it.
pub struct SmtpServer {
    address: SocketAddr,
    state: Arc<State>,
    _server: Server,
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl SmtpServer {
    pub async fn start(security: Security<'_>) -> Self {
        let (listener, address) = serve::listen(0);
        let (leaf, implicit) = match security {
            Security::None => (None, false),
            Security::StartTls(leaf) => (Some(leaf), false),
            Security::Implicit(leaf) => (Some(leaf), true),
        };
        let state = Arc::new(State {
            mails: Record::default(),
            rejections: Mutex::default(),
            login: Mutex::default(),
            tls: leaf.map(|leaf| TlsAcceptor::from(leaf.server(&[]))),
        });
        let shared = Arc::clone(&state);
        let server = Server::tcp(listener, move |tcp| converse(Arc::clone(&shared), tcp, implicit));
        Self { address, state, _server: server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on mail is taken only from who signs in like this.
    pub fn require_login(&self, user: &str, password: &str) {
        *lock(&self.state.login) = Some((user.to_owned(), password.to_owned()));
    }

    /// Rejects the next so many commands of this stage with this reply: `451 4.3.0 try later`.
    pub fn reject_next(&self, times: usize, stage: Stage, reply: &str) {
        lock(&self.state.rejections).push(Rejection { stage, times, reply: reply.to_owned() });
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state.mails.all()
    }

    /// The first mail, past or to come, of which this holds.
    ///
    /// # Panics
    /// If there is none after this long; the message shows what did arrive.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&Mail) -> bool, patience: Duration) -> impl Future<Output = Mail> {
        self.state.mails.wait_for(wanted, patience)
    }
}

/// A client that breaks off, or a handshake that fails, ends the conversation and nothing else.
async fn converse(state: Arc<State>, tcp: TcpStream, implicit: bool) {
    use session::{End, Session};
    let acceptor = state.tls.clone();
    if implicit {
        let Some(acceptor) = acceptor else { return };
        if let Ok(stream) = acceptor.accept(tcp).await {
            Session::encrypted(state).greet(stream).await.ok();
        }
        return;
    }
    let Ok(End::Upgrade(tcp)) = Session::clear(Arc::clone(&state)).greet(tcp).await else { return };
    let Some(acceptor) = acceptor else { return };
    if let Ok(stream) = acceptor.accept(tcp).await {
        Session::encrypted(state).resume(stream).await.ok();
    }
}
