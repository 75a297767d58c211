//! A good site, which breaks and is repaired on command while somebody watches it.
//!
//! [`Fault::Refuse`] really closes the listener and every connection; the port stays bound without listening, so nobody
//! else can get it, and [`Site::repair`] listens on the same port again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gazer_domain::Timestamp;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::TcpSocket;
use tokio_rustls::TlsAcceptor;

use crate::ca::Ca;
use crate::now::now;
use crate::record::{Record, lock};
use crate::serve::{self, Server};

const PAGE: &str = "<!doctype html><title>Well</title><h1>All is well</h1>\n";

/// What a broken site does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status instead of 200.
    Status(u16),
    /// Nobody listens.
    Refuse,
    /// Takes the request and never answers.
    Stall,
    /// Answers 200 with this body.
    Body(String),
    /// Answers well, this late.
    Slow(Duration),
}

/// What a path is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    pub fn html(body: impl Into<String>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body.into())
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", String::new())
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn new(status: u16, kind: &str, body: String) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body: Bytes::from(body) }
    }

    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(self.body.clone())).expect("a test replies with a valid status and headers")
    }
}

/// One request that reached the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    /// What the header `Authorization` said.
    pub authorization: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    fault: Mutex<Option<Fault>>,
    pages: Mutex<HashMap<String, Reply>>,
    hits: Record<Hit>,
}

/// Who has the port.
#[derive(Debug)]
enum Port {
    Served(Server),
    /// Bound without listening: a dial is refused.
    Held(TcpSocket),
}

/// Dropping it closes it.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    tls: Option<Tls>,
    state: Arc<State>,
    /// Locked over the switch, so that two tests' hands cannot break and repair at once.
    port: tokio::sync::Mutex<Option<Port>>,
}

#[derive(Clone)]
/// An acceptor has no `Debug` of its own.
struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl Site {
    pub async fn http() -> Self {
        Self::start(None)
    }

    /// With a certificate of this authority for `127.0.0.1` and `localhost`.
    pub async fn https(ca: &Ca) -> Self {
        let config = ca.leaf(&["127.0.0.1", "localhost"]).server(&["http/1.1"]);
        Self::start(Some(Tls(TlsAcceptor::from(config))))
    }

    fn start(tls: Option<Tls>) -> Self {
        let (listener, address) = serve::listen(0);
        let state = Arc::new(State::default());
        let server = Server::http(listener, tls.clone().map(|tls| tls.0), serve::with(&state, answer));
        Self { address, tls, state, port: tokio::sync::Mutex::new(Some(Port::Served(server))) }
    }

    /// `http://127.0.0.1:4711/`
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers this path with this reply, when it is not broken. Other paths have a small page.
    pub fn serve(&self, path: &str, reply: Reply) {
        lock(&self.state.pages).insert(path.to_owned(), reply);
    }

    /// Once this returns, every new request meets the fault.
    pub async fn break_with(&self, fault: Fault) {
        let refuse = fault == Fault::Refuse;
        *lock(&self.state.fault) = Some(fault);
        let mut port = self.port.lock().await;
        let held = match port.take().expect("the port is always somebody's") {
            Port::Served(server) if refuse => {
                server.stop().await;
                Port::Held(serve::hold(self.address.port()))
            }
            Port::Held(socket) if !refuse => self.listen_again(socket),
            same => same,
        };
        *port = Some(held);
    }

    /// Once this returns, every new request is answered well, on the same port.
    pub async fn repair(&self) {
        *lock(&self.state.fault) = None;
        let mut port = self.port.lock().await;
        let served = match port.take().expect("the port is always somebody's") {
            Port::Held(socket) => self.listen_again(socket),
            served @ Port::Served(_) => served,
        };
        *port = Some(served);
    }

    fn listen_again(&self, socket: TcpSocket) -> Port {
        let tls = self.tls.clone().map(|tls| tls.0);
        Port::Served(Server::http(serve::listen_on(socket), tls, serve::with(&self.state, answer)))
    }

    /// The requests so far, in the order of their arrival; refused ones are not among them.
    pub fn hits(&self) -> Vec<Hit> {
        self.state.hits.all()
    }

    /// To wait for hits, or to forget them.
    pub fn record(&self) -> &Record<Hit> {
        &self.state.hits
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get(http::header::AUTHORIZATION);
    let authorization = authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    state.hits.push(Hit { at: now(), method: request.method().to_string(), path: path.clone(), authorization });
    let fault = lock(&state.fault).clone();
    match fault {
        None | Some(Fault::Refuse) => {}
        Some(Fault::Status(status)) => {
            return Reply::new(status, "text/plain", format!("broken: {status}\n")).response();
        }
        Some(Fault::Body(body)) => return Reply::html(body).response(),
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::Slow(late)) => tokio::time::sleep(late).await,
    }
    let page = lock(&state.pages).get(&path).cloned();
    page.unwrap_or_else(|| Reply::html(PAGE)).response()
}
