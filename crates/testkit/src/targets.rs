//! Sites that misbehave, one way each, and what a probe should say of them.
//!
//! A misbehaviour is data: the door it opens ([`Door`]: plain TCP, TLS with some certificate, HTTP/2) and the script that
//! is played to each connection ([`Step`]). So a new one is a row in the table of [`all`], and no code. [`start`] opens the
//! door on a free loopback port; dropping the [`Target`] closes it and whatever it was saying.
//!
//! The expected codes hold for a GET with a timeout of one to two seconds, ten redirects, at most 1 MiB of body, gzip
//! asked for, HTTP/1.1 and 2 offered, loopback allowed, metadata addresses refused, [`authority`] trusted, and the default
//! assertion of a good status. `None` means up: the control group, and what is merely odd.

mod made;
mod play;
mod table;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gazer_domain::cause::Code;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use tls::{Certificate, authority};

/// One way to be wrong.
#[derive(Debug, Clone, Copy)]
pub struct Misbehaviour {
    pub name: &'static str,
    /// What the probe should find; `None` is up.
    pub expect: Option<Code>,
    /// The sentence that goes with it; empty for up. `{at}` is the target's address, and `*` is whatever differs from run
    /// to run: times, counts and limits of the probe.
    pub text: &'static str,
    pub door: Door,
    /// Played to each connection, once it is through the door.
    pub script: &'static [Step],
}

impl Misbehaviour {
    /// Whether a probe that met it at this address says what it should.
    pub fn is_told_as(&self, said: &str, at: SocketAddr) -> bool {
        let expected = self.text.replace("{at}", &at.to_string());
        let mut parts = expected.split('*');
        let begins = parts.next().unwrap_or_default();
        let Some(mut rest) = said.strip_prefix(begins) else { return false };
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.is_empty() || expected.ends_with('*')
    }
}

/// What a connection meets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Nobody listens on the port.
    Nobody,
    /// Somebody listens, but never accepts, and the queue is full: a SYN has no answer.
    FullQueue,
    Plain,
    /// The URL says https, but the script is played on the bare connection.
    NotTls,
    Tls(Certificate),
    /// TLS for clients that show a certificate, which ours do not.
    TlsForMembers,
    /// TLS with `h2` as the only protocol; the script is played as bytes below HTTP/2.
    RawH2,
    /// HTTP/2 in earnest, up to this fault.
    H2(H2Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum H2Fault {
    /// None: answers 200.
    None,
    /// Says GOAWAY to the first request, which it has not looked at.
    GoAway,
    /// Answers the first request with a frame of 16 MiB, which nobody allowed (RFC 9113, 4.2).
    FrameTooLarge,
    /// Resets the stream instead of answering.
    ResetStream,
    /// Answers 200 and half a body, then resets the stream.
    ResetMidBody,
    /// Takes the request and closes the connection.
    Close,
    /// Takes the request and is silent.
    Silent,
    /// Answers 200 and half a body, then is silent.
    StallMidBody,
}

/// One line of a script. After its last line the connection stays open and silent until the peer leaves it.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Reads a request's head, up to its blank line.
    ReadHead,
    /// Reads whatever comes first: a ClientHello is one write.
    ReadSome,
    Say(&'static str),
    SayBytes(&'static [u8]),
    /// Says something too large to be written down here.
    Make(fn() -> &'static [u8]),
    /// One byte each 100 ms, over and over.
    Drip(&'static str),
    /// As fast as the peer reads, over and over.
    Flood(&'static str),
    /// `/` leads to `/1`, that to `/2`, and so on this many times; then 200.
    RedirectChain(u32),
    /// Ends the connection properly, with TLS's farewell if there is TLS.
    Close,
    /// Ends the connection without TLS's farewell.
    Vanish,
    /// RST.
    Reset,
}

/// Every misbehaviour; the names are unique.
pub fn all() -> &'static [Misbehaviour] {
    table::ALL
}

/// # Panics
/// If there is none of this name.
pub fn named(name: &str) -> &'static Misbehaviour {
    all().iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no target is called {name:?}"))
}

/// A misbehaving site that listens until it is dropped.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    scheme: &'static str,
    accepted: Arc<AtomicUsize>,
    /// Aborting it drops the connections' tasks with it.
    server: Option<JoinHandle<()>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl Target {
    /// `http://127.0.0.1:4711/`
    pub fn url(&self) -> String {
        format!("{}://{}/", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections came through so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

pub async fn start(one: &'static Misbehaviour) -> Target {
    match one.door {
        Door::Nobody => nobody().await,
        Door::FullQueue => full_queue().await,
        Door::Plain | Door::NotTls | Door::Tls(_) | Door::TlsForMembers | Door::RawH2 | Door::H2(_) => {
            listen(one).await
        }
    }
}

impl Door {
    fn scheme(self) -> &'static str {
        match self {
            Self::Nobody | Self::FullQueue | Self::Plain => "http",
            Self::NotTls | Self::Tls(_) | Self::TlsForMembers | Self::RawH2 | Self::H2(_) => "https",
        }
    }

    fn acceptor(self) -> Option<TlsAcceptor> {
        let config = match self {
            Self::Tls(certificate) => certificate.leaf().server(&["http/1.1"]),
            Self::TlsForMembers => Certificate::Good.leaf().server_for_clients_of(authority(), &["http/1.1"]),
            Self::RawH2 | Self::H2(_) => Certificate::Good.leaf().server(&["h2"]),
            Self::Nobody | Self::FullQueue | Self::Plain | Self::NotTls => return None,
        };
        Some(TlsAcceptor::from(config))
    }
}

async fn listen(one: &'static Misbehaviour) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let acceptor = one.door.acceptor();
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            // Too many open files passes; a target that gave up would make the next test lie.
            let Ok((tcp, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            count.fetch_add(1, Ordering::SeqCst);
            connections.spawn(serve(one, tcp, acceptor.clone()));
            while connections.try_join_next().is_some() {}
        }
    });
    Target { address, scheme: one.door.scheme(), accepted, server: Some(server) }
}

/// A fault of the peer's, such as leaving early, is what the probes do by design, so it ends the play without a word.
async fn serve(one: &'static Misbehaviour, tcp: TcpStream, acceptor: Option<TlsAcceptor>) {
    tcp.set_nodelay(true).ok();
    let Some(acceptor) = acceptor else {
        return play::play(one.script, tcp, |tcp| tcp).await;
    };
    let tls = match acceptor.accept(tcp).into_fallible().await {
        Ok(tls) => tls,
        // Closed over unread bytes it would send RST, and the alert might be lost.
        Err((_, mut tcp)) => return play::until_gone(&mut tcp).await,
    };
    match one.door {
        Door::H2(fault) => play::h2(fault, tls).await,
        _ => play::play(one.script, tls, |tls| tls.get_ref().0).await,
    }
}

/// A port that was free a moment ago, held by a socket that is bound but does not listen: so nobody else gets it.
async fn nobody() -> Target {
    let socket = TcpSocket::new_v4().expect("a socket can be had");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("loopback has a free port");
    let address = socket.local_addr().expect("a bound socket has an address");
    let server = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(socket);
    });
    Target { address, scheme: "http", accepted: Arc::default(), server: Some(server) }
}

/// Fills a queue of one until a dial hangs; the dials are held, so it stays full.
async fn full_queue() -> Target {
    let socket = TcpSocket::new_v4().expect("a socket can be had");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("loopback has a free port");
    let listener = socket.listen(0).expect("a bound socket listens");
    let address = listener.local_addr().expect("a bound socket has an address");
    let mut held = Vec::new();
    loop {
        #[expect(clippy::disallowed_methods, reason = "the target fills its own queue; no user's address is dialled")]
        let dial = TcpStream::connect(address);
        let Ok(dialled) = tokio::time::timeout(Duration::from_millis(100), dial).await else { break };
        held.push(dialled.expect("loopback is reachable"));
    }
    let server = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop((listener, held));
    });
    Target { address, scheme: "http", accepted: Arc::default(), server: Some(server) }
}
