//! Receives webhooks as a customer would: keeps what came, checks the signature, and fails on command.
//!
//! What is recorded was read whole. With [`WebhookReceiver::recording_to`] it is also on disk, fsynced, before the answer
//! goes out. A thread of its own writes it, and fsyncs at once what came together: nothing else waits for that disk.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gazer_domain::Timestamp;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::now::now;
use crate::record::{Record, lock};
use crate::serve::{self, Server};
use crate::site::Reply;

/// Standard Webhooks leaves the tolerance to the receiver; its libraries take five minutes.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// A status with `Retry-After` in seconds.
    RetryAfter(u16, u32),
    /// Records the request, and answers with this status only so much later.
    After(Duration, u16),
    /// Records the request and never answers.
    Stall,
}

/// One POST.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub at: Timestamp,
    pub path: String,
    /// By lower-case name; of a repeated header the last.
    pub headers: HashMap<String, String>,
    pub body: Bytes,
    /// `Null` where the body is no JSON.
    pub json: Value,
    pub answer: Answer,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("the secret is not `whsec_` and base64")]
    BadSecret,
    #[error("there is no header `{0}`")]
    MissingHeader(&'static str),
    #[error("`webhook-timestamp` is {0:?}, which is no number of seconds")]
    BadTimestamp(String),
    #[error("`webhook-timestamp` is {0:?} away from the arrival")]
    Stale(Duration),
    #[error("no signature in {0:?} is of this secret and this message")]
    Mismatch(String),
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The `webhook-id`, which is the same for each retry of a message.
    pub fn id(&self) -> &str {
        self.header("webhook-id").unwrap_or_default()
    }

    /// The body's `type`: `monitor.down` and the like.
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap_or_default()
    }

    /// Checks the signature as Standard Webhooks 1.0 says: HMAC-SHA256 over `id.timestamp.body`.
    pub fn verify(&self, secret: &str) -> Result<(), Unsigned> {
        let key = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.ok_or(Unsigned::BadSecret)?);
        let id = self.required("webhook-id")?;
        let timestamp = self.required("webhook-timestamp")?;
        let signatures = self.required("webhook-signature")?;

        let seconds: i64 = timestamp.parse().map_err(|_| Unsigned::BadTimestamp(timestamp.to_owned()))?;
        let away = Duration::from_secs((self.at.millis() / 1000).abs_diff(seconds));
        if away > TOLERANCE {
            return Err(Unsigned::Stale(away));
        }

        let mut message = format!("{id}.{timestamp}.").into_bytes();
        message.extend_from_slice(&self.body);
        // A secret that is being rotated signs twice, so the header is a list.
        let holds = signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .any(|tag| hmac::verify(&key, &message, &tag).is_ok());
        if holds { Ok(()) } else { Err(Unsigned::Mismatch(signatures.to_owned())) }
    }

    fn required(&self, name: &'static str) -> Result<&str, Unsigned> {
        self.header(name).ok_or(Unsigned::MissingHeader(name))
    }
}

#[derive(Debug, Default)]
struct State {
    received: Arc<Record<Received>>,
    next: Mutex<VecDeque<Answer>>,
    /// Where what is received goes first, if it is to be on disk.
    disk: Option<mpsc::Sender<Taken>>,
}

/// On its way to the disk, and who waits for it to be there.
#[derive(Debug)]
struct Taken {
    received: Received,
    kept: oneshot::Sender<()>,
}

/// Dropping it closes it.
#[derive(Debug)]
pub struct WebhookReceiver {
    address: SocketAddr,
    state: Arc<State>,
    _server: Server,
}

impl WebhookReceiver {
    pub async fn start() -> Self {
        Self::with(State::default())
    }

    /// Appends each request to this file, as a line of JSON, and fsyncs it before it answers.
    pub async fn recording_to(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.unwrap_or_else(|error| panic!("cannot append to {}: {error}", path.display()));
        let (disk, taken) = mpsc::channel();
        let state = State { disk: Some(disk), ..State::default() };
        let received = Arc::clone(&state.received);
        thread::spawn(move || keep(file, &taken, &received));
        Self::with(state)
    }

    fn with(state: State) -> Self {
        let (listener, address) = serve::listen(0);
        let state = Arc::new(state);
        let server = Server::http(listener, None, serve::with(&state, receive));
        Self { address, state, _server: server }
    }

    /// `http://127.0.0.1:4711/hook`
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.all()
    }

    /// Answers the next so many requests like this; after them 200 again.
    pub fn answer_next(&self, times: usize, answer: Answer) {
        lock(&self.state.next).extend(std::iter::repeat_n(answer, times));
    }

    /// Takes back what [`Self::answer_next`] asked for.
    pub fn answer_well(&self) {
        lock(&self.state.next).clear();
    }

    /// The first request, past or to come, of which this holds.
    ///
    /// # Panics
    /// If there is none after this long; the message shows what did arrive.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&Received) -> bool, patience: Duration) -> impl Future<Output = Received> {
        self.state.received.wait_for(wanted, patience)
    }

    /// All requests, once this holds of them. Panics as [`Self::wait_for`] does.
    #[track_caller]
    pub fn wait_until(
        &self,
        enough: impl Fn(&[Received]) -> bool,
        patience: Duration,
    ) -> impl Future<Output = Vec<Received>> {
        self.state.received.wait_until(enough, patience)
    }
}

async fn receive(state: Arc<State>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let at = now();
    let (head, body) = request.into_parts();
    if head.method != http::Method::POST {
        return Reply::status(405).response();
    }
    // A sender that was killed half way has sent nothing.
    let Ok(body) = body.collect().await else { return Reply::status(400).response() };
    let body = body.to_bytes();
    let headers = head.headers.iter();
    let headers: HashMap<_, _> = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let answer = lock(&state.next).pop_front().unwrap_or(Answer::Status(200));
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let received = Received { at, path: head.uri.path().to_owned(), headers, body, json, answer };
    match &state.disk {
        None => state.received.push(received),
        Some(disk) => {
            let (kept, is_kept) = oneshot::channel();
            disk.send(Taken { received, kept }).expect("the disk's thread takes what there is");
            is_kept.await.expect("the disk's thread answers");
        }
    }
    match answer {
        Answer::Status(status) => Reply::status(status).response(),
        Answer::RetryAfter(status, seconds) => {
            Reply::status(status).with_header("retry-after", &seconds.to_string()).response()
        }
        Answer::After(wait, status) => {
            tokio::time::sleep(wait).await;
            Reply::status(status).response()
        }
        Answer::Stall => std::future::pending().await,
    }
}

/// Writes and records whatever is taken, also where its sender is gone by then: it was sent.
fn keep(mut file: File, taken: &mpsc::Receiver<Taken>, record: &Record<Received>) {
    while let Ok(first) = taken.recv() {
        let together: Vec<Taken> = std::iter::once(first).chain(taken.try_iter()).collect();
        let lines: String = together.iter().map(|one| line(&one.received)).collect();
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).expect("the record's disk takes a line");
        for Taken { received, kept } in together {
            record.push(received);
            let _ = kept.send(());
        }
    }
}

/// `{"at":…,"path":…,"headers":{…},"body":"…","status":200}`, where a stall has status 0.
fn line(received: &Received) -> String {
    let status = match received.answer {
        Answer::Status(status) | Answer::RetryAfter(status, _) | Answer::After(_, status) => status,
        Answer::Stall => 0,
    };
    let line = json!({
        "at": received.at.millis(),
        "path": received.path,
        "headers": received.headers,
        "body": String::from_utf8_lossy(&received.body),
        "status": status,
    });
    format!("{line}\n")
}
