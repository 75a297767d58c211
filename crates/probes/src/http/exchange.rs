//! One request and its answer over one fresh connection.
//!
//! hyper's connection is a future of its own; it is polled beside the request in the same task, so a check costs no
//! spawn and nothing outlives it. HTTP/2 is the exception, because hyper hands its connection to an executor: that task
//! is aborted when the exchange ends.
//!
//! All steps write into a [`Trace`] as they go, because a deadline may end any of them: what the trace holds then is
//! the evidence.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use gazer_domain::Timestamp;
use gazer_domain::cause::Cause;
use gazer_domain::http::Trust;
use gazer_domain::observation::{Answer, Certificate, Hop, HttpVersion, Phases, Request};
use http::header::{CONTENT_ENCODING, HOST};
use http::{Response, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use super::body::{Budget, EXCERPT_BYTES, Kept, Reader, Share};
use super::fault;
use super::plan::{Outgoing, Target};
use super::wiretap::{Greeting, Heard, Wiretap};
use crate::net::tls::{Peer, Tls};
use crate::net::{Door, Stage, micros};

/// An answer's head beyond this is refused as too large.
const HEAD_BYTES: usize = 64 * 1024;
/// Flow-control windows of HTTP/2: what a server may have in flight towards one check, and what is held of it outside of
/// the shared memory.
const WINDOW_BYTES: u32 = 64 * 1024;

/// What an exchange needs besides the request; shared by all.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) door: Door,
    pub(crate) tls: Tls,
    pub(crate) budget: Budget,
}

/// Which step is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Dial,
    Tls,
    Exchange,
    /// Waiting for the memory that all bodies share.
    Memory,
    Download,
}

/// What is known of the hop that is under way.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) request: Request,
    pub(crate) step: Step,
    begun: Instant,
    pub(crate) stage: Stage,
    pub(crate) address: Option<SocketAddr>,
    phases: Phases,
    certificate: Option<Certificate>,
    pub(crate) heard: Option<Arc<Heard>>,
    pub(crate) answer: Option<Answer>,
    /// The body so far.
    pub(crate) reader: Option<Reader>,
    /// How long it waited for our own memory.
    pub(crate) waited: Duration,
}

impl Trace {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            step: Step::Dial,
            begun: Instant::now(),
            stage: Stage::default(),
            address: None,
            phases: Phases::default(),
            certificate: None,
            heard: None,
            answer: None,
            reader: None,
            waited: Duration::ZERO,
        }
    }

    fn enter(&mut self, step: Step) {
        self.step = step;
        self.begun = Instant::now();
    }

    /// Waits for our own memory, which is no time of the site's.
    async fn waiting_for_memory<T>(&mut self, memory: impl Future<Output = T>) -> T {
        let since = Instant::now();
        self.step = Step::Memory;
        let got = memory.await;
        self.step = Step::Download;
        self.waited += since.elapsed();
        got
    }

    /// The hop as it stands; a phase that was cut short counts as far as it went.
    pub(crate) fn into_hop(mut self) -> Hop {
        match self.step {
            Step::Dial => match self.stage.connecting {
                Some((since, at)) => {
                    self.phases.dns = self.stage.dns_us;
                    self.phases.connect = micros(since);
                    self.address = Some(at);
                }
                None => self.phases.dns = micros(self.begun),
            },
            Step::Tls => self.phases.tls = self.phases.tls.max(micros(self.begun)),
            Step::Exchange | Step::Memory | Step::Download => self.split_exchange(),
        }
        if let (Some(answer), Some(reader)) = (&mut self.answer, &self.reader)
            && answer.body_bytes == 0
        {
            answer.body_bytes = reader.kept().total as u64;
        }
        let Self { request, address, phases, answer, certificate, .. } = self;
        Hop { request, address, phases, answer, certificate }
    }

    /// Send until the last byte was written, first byte until one came back, download for the rest.
    fn split_exchange(&mut self) {
        let Some(heard) = &self.heard else { return };
        let (now, written, first) = (heard.elapsed(), heard.written(), heard.first_byte());
        let sent = if heard.is_sending() { now } else { written.min(now) };
        let waited = if first == 0 { now } else { first };
        self.phases.send = sent;
        self.phases.first_byte = waited.saturating_sub(sent);
        let ours = u32::try_from(self.waited.as_micros()).unwrap_or(u32::MAX);
        self.phases.download = now.saturating_sub(waited.max(sent)).saturating_sub(ours);
    }
}

/// How an exchange is to be done.
pub(crate) struct Terms<'a> {
    pub(crate) trust: Trust,
    pub(crate) avoid: Option<SocketAddr>,
    pub(crate) at: Timestamp,
    pub(crate) body: Wanted,
    /// True if this answer's body is of no interest, as that of a redirect that will be followed.
    pub(crate) skips_body: &'a (dyn Fn(&http::response::Parts) -> bool + Sync),
}

/// What is wanted of the body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// All of it, or up to the bound, within the memory that checks share; this much is kept. What breaks it is a fault.
    Whole { keep: usize },
    /// Its start, as far as it comes within this time; what breaks it is none of our business. So little is outside of
    /// the shared memory: messages to people do not wait for checks.
    Excerpt(Duration),
}

/// Dials, greets, asks, and reads the answer. The trace tells the rest, also if this is dropped half way.
pub(crate) async fn run<'m>(
    means: &'m Means,
    outgoing: &Outgoing,
    terms: &Terms<'_>,
    trace: &mut Trace,
) -> Result<Received<'m>, Cause> {
    let to = &outgoing.to;
    let dialled = means.door.dial(to.borrowed_host(), to.port, terms.avoid, &mut trace.stage).await?;
    trace.phases.dns = dialled.dns_us;
    trace.phases.connect = dialled.connect_us;
    trace.address = Some(dialled.address);
    let Some(name) = &to.tls else {
        return over_http1(means, dialled.stream, outgoing, terms, trace).await;
    };
    trace.enter(Step::Tls);
    // The last flight of the handshake and the request are two small writes; Nagle's algorithm would hold the second.
    let _ = dialled.stream.set_nodelay(true);
    let peer = Peer { at: dialled.address, host: to.host_str(), name };
    let shaken = means.tls.shake(dialled.stream, &peer, terms.trust, terms.at, &mut trace.certificate);
    let stream = Box::pin(shaken).await?;
    trace.phases.tls = micros(trace.begun);
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return Box::pin(over_http2(means, stream, outgoing, terms, trace)).await;
    }
    over_http1(means, stream, outgoing, terms, trace).await
}

/// An answer with what was kept of its body.
pub(crate) struct Received<'m> {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Kept,
    /// What the body holds of the shared memory, until it is looked at and dropped.
    _share: Share<'m>,
}

async fn over_http1<'m, S>(
    means: &'m Means,
    stream: S,
    outgoing: &Outgoing,
    terms: &Terms<'_>,
    trace: &mut Trace,
) -> Result<Received<'m>, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = begin(trace, Greeting::None);
    let io = TokioIo::new(Wiretap::new(stream, heard));
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(io)
        .await
        .map_err(|err| fault::of_exchange(trace, &err, None))?;
    let request = request(outgoing, outgoing.to.origin_form.clone());
    let mut driven = Driven { connection: pin!(connection), over: false, failed: None };
    let sent = sender.send_request(request);
    let response = match driven.beside(sent).await {
        Ok(response) => response,
        Err(err) => return Err(fault::of_exchange(trace, &err, driven.failed.as_ref())),
    };
    driven.beside(read(means, response, outgoing, terms, trace)).await
}

/// Polls hyper's connection beside what waits for it.
struct Driven<'a, C> {
    connection: Pin<&'a mut C>,
    over: bool,
    failed: Option<hyper::Error>,
}

impl<C: Future<Output = hyper::Result<()>>> Driven<'_, C> {
    async fn beside<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if !self.over
                && let Poll::Ready(end) = self.connection.as_mut().poll(cx)
            {
                self.over = true;
                self.failed = end.err();
            }
            work.as_mut().poll(cx)
        })
        .await
    }
}

async fn over_http2<'m, S>(
    means: &'m Means,
    stream: S,
    outgoing: &Outgoing,
    terms: &Terms<'_>,
    trace: &mut Trace,
) -> Result<Received<'m>, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = begin(trace, Greeting::First);
    let io = TokioIo::new(Wiretap::new(stream, heard.clone()));
    let tasks = Tasks::default();
    let _end = EndOf(tasks.clone());
    let shaken = http2::Builder::new(tasks.clone())
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES as u32)
        .handshake(io)
        .await;
    let (mut sender, connection) = shaken.map_err(|err| fault::of_exchange(trace, &err, None))?;
    let uri = outgoing.to.absolute_form();
    let mut request = request(outgoing, uri);
    adapt_to_http2(&mut request);
    let mut driven = Driven { connection: pin!(connection), over: false, failed: None };
    let sent = sender.send_request(request);
    let response = match driven.beside(sent).await {
        Ok(response) => response,
        Err(err) => return Err(fault::of_exchange(trace, &err, driven.failed.as_ref())),
    };
    heard.answered();
    driven.beside(read(means, response, outgoing, terms, trace)).await
}

/// HTTP/2 names the host in `:authority` (RFC 9113 §8.3.1); a `Host` of the monitor's own takes its place.
fn adapt_to_http2(request: &mut http::Request<Full<Bytes>>) {
    let Some(host) = request.headers_mut().remove(HOST) else { return };
    let mut parts = request.uri().clone().into_parts();
    let Ok(authority) = http::uri::Authority::try_from(host.as_bytes()) else { return };
    parts.authority = Some(authority);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn begin(trace: &mut Trace, greeting: Greeting) -> Arc<Heard> {
    trace.enter(Step::Exchange);
    let heard = Heard::from_now(greeting);
    trace.heard = Some(heard.clone());
    heard
}

fn request(outgoing: &Outgoing, uri: Uri) -> http::Request<Full<Bytes>> {
    let mut request = http::Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = outgoing.headers.clone();
    request
}

async fn read<'m>(
    means: &'m Means,
    response: Response<Incoming>,
    outgoing: &Outgoing,
    terms: &Terms<'_>,
    trace: &mut Trace,
) -> Result<Received<'m>, Cause> {
    let (head, mut body) = response.into_parts();
    trace.answer = Some(shown(&head));
    let mut share = Share::default();
    if (terms.skips_body)(&head) || outgoing.method == http::Method::HEAD || body.is_end_stream() {
        return Ok(Received { head, body: Kept::default(), _share: share });
    }
    let encoding = head.headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes);
    let keep = match terms.body {
        Wanted::Whole { keep } => keep,
        Wanted::Excerpt(patience) => {
            trace.step = Step::Download;
            let mut reader = Reader::new(encoding, EXCERPT_BYTES);
            // Whether it ended, broke or stalled: what came is what there is.
            let _ = timeout(patience, sip(&mut body, &mut reader)).await;
            let body = reader.finish(false).unwrap_or_default();
            return Ok(Received { head, body, _share: share });
        }
    };
    let reader = Reader::new(encoding, keep);
    let upper = body.size_hint().upper().filter(|_| !reader.is_packed());
    trace.reader = Some(reader);
    share = trace.waiting_for_memory(means.budget.small(upper)).await;
    let complete = drain(means, &mut body, &mut share, trace).await?;
    let ended = trace.reader.as_mut().map_or_else(|| Ok(Kept::default()), |reader| reader.finish(complete));
    let body = ended?;
    if let Some(answer) = &mut trace.answer {
        answer.body_bytes = body.total as u64;
    }
    Ok(Received { head, body, _share: share })
}

/// Reads until there is enough for an excerpt, or no more to be had.
async fn sip(body: &mut Incoming, reader: &mut Reader) {
    while !reader.kept().is_enough()
        && let Some(Ok(frame)) = body.frame().await
    {
        let Ok(data) = frame.into_data() else { continue };
        reader.feed(data);
        while !reader.is_hungry() {
            if !matches!(reader.step(), Ok(true)) {
                return;
            }
        }
    }
}

/// Answers whether the body came to its end, rather than to our bound.
async fn drain<'m>(
    means: &'m Means,
    body: &mut Incoming,
    share: &mut Share<'m>,
    trace: &mut Trace,
) -> Result<bool, Cause> {
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|err| fault::of_body(trace, &err))?;
        let (Ok(data), Some(reader)) = (frame.into_data(), &mut trace.reader) else { continue };
        reader.feed(data);
        while let Some(reader) = &mut trace.reader
            && !reader.is_hungry()
        {
            let needs = reader.needs();
            if !share.holds(needs) {
                trace.waiting_for_memory(means.budget.widen(share, needs)).await;
                continue;
            }
            if !reader.step()? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn shown(head: &http::response::Parts) -> Answer {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Answer {
        status: head.status.as_u16(),
        version: match head.version {
            Version::HTTP_2 => HttpVersion::Http2,
            Version::HTTP_10 => HttpVersion::Http10,
            _ => HttpVersion::Http11,
        },
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body_bytes: 0,
        body: None,
    }
}

impl Target {
    fn absolute_form(&self) -> Uri {
        let mut parts = self.origin_form.clone().into_parts();
        parts.scheme = Some(http::uri::Scheme::HTTPS);
        parts.authority = self.authority().parse().ok();
        Uri::from_parts(parts).unwrap_or_else(|_| self.origin_form.clone())
    }
}

/// Runs what hyper spawns for HTTP/2.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<tokio::task::AbortHandle>>>);

/// Ends those tasks with the exchange: a peer that never reads would keep them alive.
struct EndOf(Tasks);

impl Drop for EndOf {
    fn drop(&mut self) {
        for task in self.0.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let handle = tokio::spawn(future).abort_handle();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }
}
