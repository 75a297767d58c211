//! A small HTTP/1.1 server around a handler, which ends at once and completely: listener, connections and all.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Enough for a bench that dials hundreds of times a second while this process is busy.
const QUEUE: u32 = 1024;

/// A running server. Dropping it stops it soon; [`Server::stop`] returns when it has stopped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn http<H, F>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        Self::tcp(listener, move |tcp| {
            let (tls, handler) = (tls.clone(), handler.clone());
            async move {
                let Some(tls) = tls else { return answer(tcp, handler).await };
                if let Ok(stream) = tls.accept(tcp).await {
                    answer(stream, handler).await;
                }
            }
        })
    }

    /// Hands each connection to this function.
    pub(crate) fn tcp<C, F>(listener: TcpListener, connection: C) -> Self
    where
        C: Fn(TcpStream) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    _ = &mut stopped => break,
                    accepted = listener.accept() => accepted,
                };
                // Too many open files passes, so the server waits for it to pass.
                let Ok((tcp, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                tcp.set_nodelay(true).ok();
                connections.spawn(connection(tcp));
                while connections.try_join_next().is_some() {}
            }
            drop(listener);
            connections.shutdown().await;
        });
        Self { stop, task }
    }

    /// Returns when the port refuses and every connection is closed.
    pub(crate) async fn stop(self) {
        self.stop.send(()).ok();
        self.task.await.expect("the accept loop does not panic");
    }
}

/// A peer that leaves early is no concern of the server's.
async fn answer<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let service = service_fn(|request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// Port 0 takes a free one. `SO_REUSEADDR`, so a port that was left a moment ago can be taken again.
pub(crate) fn bind(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket can be had");
    socket.set_reuseaddr(true).expect("a fresh socket takes options");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.bind(address).unwrap_or_else(|error| panic!("cannot bind {address}: {error}"));
    socket
}

pub(crate) fn listen(port: u16) -> (TcpListener, SocketAddr) {
    let listener = bind(port).listen(QUEUE).expect("a bound socket listens");
    let address = listener.local_addr().expect("a bound socket has an address");
    (listener, address)
}

/// A port that refuses, and that nobody else can take: two sockets that both may reuse a port could both have it until
/// one of them listens.
pub(crate) fn hold(port: u16) -> TcpSocket {
    let socket = bind(port);
    socket.set_reuseaddr(false).expect("a bound socket takes options");
    socket
}

/// What was held answers again, also while connections of before are still being forgotten.
pub(crate) fn listen_on(socket: TcpSocket) -> TcpListener {
    socket.set_reuseaddr(true).expect("a bound socket takes options");
    socket.listen(QUEUE).expect("a bound socket listens")
}

/// Shares a handler's state with each of its calls.
pub(crate) fn with<T, F, O>(state: &Arc<T>, handle: F) -> impl Fn(Request<Incoming>) -> O + Clone + use<T, F, O>
where
    F: Fn(Arc<T>, Request<Incoming>) -> O + Clone,
{
    let state = Arc::clone(state);
    move |request| handle(Arc::clone(&state), request)
}
