//! Listens in on a connection: when the request was written, when the first byte came back, and how it broke.
//!
//! hyper answers with a message or an error; which phase a stall belongs to, and whether a closed connection had said
//! anything at all, only the bytes tell. Over HTTP/2 they tell less: a server greets before it looks at any request, so
//! there the first byte of the answer is when hyper has its head.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::net::micros;

/// How the near side learned that the connection was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broke {
    Not,
    Closed,
    Reset,
    /// TLS ended it, for this reason.
    Tls(String),
}

/// What the first byte that comes back means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// The answer begins.
    None,
    /// The protocol's own; [`Heard::answered`] says when the answer is there.
    First,
}

/// What was heard, in microseconds since the request began. 0 is "not yet".
#[derive(Debug)]
pub(crate) struct Heard {
    begun: Instant,
    greeting: Greeting,
    written: AtomicU32,
    greeted: AtomicU32,
    first_byte: AtomicU32,
    /// A write is waiting for the far side to take it.
    stuck: AtomicBool,
    /// How it broke first: what follows is only the consequence.
    broke: OnceLock<Broke>,
}

impl Heard {
    pub(crate) fn from_now(greeting: Greeting) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            greeting,
            written: AtomicU32::new(0),
            greeted: AtomicU32::new(0),
            first_byte: AtomicU32::new(0),
            stuck: AtomicBool::new(false),
            broke: OnceLock::new(),
        })
    }

    pub(crate) fn elapsed(&self) -> u32 {
        micros(self.begun)
    }

    pub(crate) fn written(&self) -> u32 {
        self.written.load(Relaxed)
    }

    pub(crate) fn first_byte(&self) -> u32 {
        self.first_byte.load(Relaxed)
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.first_byte() == 0 && (self.written() == 0 || self.stuck.load(Relaxed))
    }

    pub(crate) fn broke(&self) -> &Broke {
        self.broke.get().unwrap_or(&Broke::Not)
    }

    /// The head of the answer is there.
    pub(crate) fn answered(&self) {
        if self.first_byte() == 0 {
            self.first_byte.store(self.elapsed(), Relaxed);
        }
    }

    fn read_some(&self) {
        if self.greeted.load(Relaxed) == 0 {
            self.greeted.store(self.elapsed(), Relaxed);
        }
        if self.greeting == Greeting::None {
            self.answered();
        }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Pending => self.stuck.store(true, Relaxed),
            Poll::Ready(Ok(_)) => {
                self.stuck.store(false, Relaxed);
                // What follows the first byte that came back is the protocol's own business.
                if self.greeted.load(Relaxed) == 0 {
                    self.written.store(self.elapsed(), Relaxed);
                }
            }
            Poll::Ready(Err(err)) => self.failed(err),
        }
    }

    fn failed(&self, err: &io::Error) {
        let tls = err.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let _ = self.broke.set(match (tls, err.kind()) {
            (Some(rustls::Error::AlertReceived(alert)), _) => Broke::Tls(format!("the alert {alert:?}")),
            (Some(err), _) => Broke::Tls(err.to_string()),
            (None, io::ErrorKind::UnexpectedEof) => Broke::Closed,
            _ => Broke::Reset,
        });
    }
}

/// A stream that tells `Heard`.
#[derive(Debug)]
pub(crate) struct Wiretap<S> {
    stream: S,
    heard: Arc<Heard>,
}

impl<S> Wiretap<S> {
    pub(crate) fn new(stream: S, heard: Arc<Heard>) -> Self {
        Self { stream, heard }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wiretap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match &read {
            Poll::Ready(Ok(())) if buf.filled().len() == before => {
                let _ = self.heard.broke.set(Broke::Closed);
            }
            Poll::Ready(Ok(())) => self.heard.read_some(),
            Poll::Ready(Err(err)) => self.heard.failed(err),
            Poll::Pending => {}
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wiretap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.heard.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.heard.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
