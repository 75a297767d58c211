//! A very small HTTP client for driving our own server: one connection per request, no redirects, no pool.
//!
//! It hides nothing that a test may want to see, and it is not the product's client, so the two cannot share a mistake.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A local server that needs longer has hung.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot connect to {0}")]
    Connect(SocketAddr, #[source] std::io::Error),
    #[error("cannot exchange a request with {0}")]
    Exchange(SocketAddr, #[source] hyper::Error),
    #[error("{0} did not answer within {PATIENCE:?}")]
    Silent(SocketAddr),
}

/// What came back, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `Null` where the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The cookies that the answer sets, as a `Cookie` header would send them back.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all("set-cookie").into_iter().filter_map(|value| value.to_str().ok());
        let pairs: Vec<_> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        pairs.join("; ")
    }
}

/// Sends the request to the address. The `Host` header is the address unless the request has one.
pub async fn send(address: SocketAddr, mut request: Request<Full<Bytes>>) -> Result<Answer, Error> {
    let host = address.to_string().parse().expect("an address is a header value");
    request.headers_mut().entry("host").or_insert(host);
    tokio::time::timeout(PATIENCE, exchange(address, request)).await.map_err(|_| Error::Silent(address))?
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
    #[expect(clippy::disallowed_methods, reason = "the kit drives a server that the test itself has started")]
    let tcp = TcpStream::connect(address).await.map_err(|error| Error::Connect(address, error))?;
    let failed = |error| Error::Exchange(address, error);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(failed)?.to_bytes();
    connection.abort();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}

/// One call of a JSON API: `api(address, Method::POST, "/api/v1/monitors", Some(&json), Some(token))`.
pub async fn api(
    address: SocketAddr,
    method: Method,
    path: &str,
    json: Option<&Value>,
    token: Option<&str>,
) -> Result<(u16, Value), Error> {
    let mut request = Request::builder().method(method).uri(path).header("accept", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if json.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = json.map(Value::to_string).unwrap_or_default();
    let request = request.body(Full::from(body)).expect("the path and the token are valid in a request");
    let answer = send(address, request).await?;
    Ok((answer.status, answer.json()))
}
