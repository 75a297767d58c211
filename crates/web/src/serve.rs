//! The connections to our own site: how many, and how long one may stay silent.
//!
//! Everybody who reaches the port takes a descriptor, and checks need descriptors too. So there is a most: who comes
//! beyond it waits in the system's queue, unanswered and unrefused. Those who hold a place without asking for anything
//! lose it after ten seconds: before a first request and, over HTTP/1, between requests too. An answer may go on for
//! as long as it likes: a live page is one that does not end.
//!
//! Deliberately absent: a most per address. Behind a reverse proxy there is one address.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::ServiceExt;

/// A live page holds one connection, so this is a thousand people who look at once.
const MOST: usize = 1_000;
/// Heads are a few packets; a person's network that needs longer for them shows no page anyhow.
const HEADERS: Duration = Duration::from_secs(10);
/// A peer over HTTP/2 that answers no ping for this long is gone.
const PING: Duration = Duration::from_secs(30);
/// Too many open files passes, so the site waits for it to pass.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    connections: usize,
    headers: Duration,
}

impl Limits {
    /// The site gets a quarter of the descriptors at most: the rest is for checks, messages and the store.
    pub fn of(descriptors: u64) -> Self {
        let quarter = usize::try_from(descriptors / 4).unwrap_or(MOST);
        Self { connections: quarter.clamp(1, MOST), headers: HEADERS }
    }
}

/// Answers until it is told to stop, and then until what was asked is answered. Dropping it ends every connection.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stopped: watch::Receiver<()>) {
    let stopping = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An error means that the other end is gone, which is an end as well.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((tcp, peer)) => {
                    connections.spawn(connection(tcp, peer, router.clone(), limits.headers, stopping.clone()));
                }
                // The peer left while it waited.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "the site cannot take a connection");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A peer that leaves early, or speaks no HTTP, is no concern of ours.
async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    router: Router,
    headers: Duration,
    mut stopped: watch::Receiver<()>,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&asked);
    let service = service_fn(move |mut request: Request<Incoming>| {
        noted.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(headers);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING);
    let mut answering = pin!(builder.serve_connection(TokioIo::new(tcp), service));
    // Until its first bytes say which HTTP it speaks, neither of the two above watches it.
    let mut silence = pin!(sleep(headers));
    let (mut spoken, mut stopping) = (false, false);
    loop {
        tokio::select! {
            _ = answering.as_mut() => return,
            () = silence.as_mut(), if !spoken => {
                spoken = asked.load(Ordering::Relaxed);
                if !spoken {
                    return;
                }
            }
            _ = stopped.changed(), if !stopping => {
                stopping = true;
                answering.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    struct Site {
        at: SocketAddr,
        stop: watch::Sender<()>,
        task: JoinHandle<()>,
        says: mpsc::Sender<&'static str>,
    }

    /// Two may come; `/who` names the peer, `/live` tells what it is told to.
    async fn site() -> Site {
        let (says, said) = mpsc::channel(1);
        let said = Arc::new(tokio::sync::Mutex::new(said));
        let live = || async move {
            Body::from_stream(stream::unfold(said, |said| async move {
                let word = said.lock().await.recv().await?;
                Some((Ok::<_, io::Error>(word), said))
            }))
        };
        let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        let router = Router::new().route("/who", get(who)).route("/live", get(live));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(());
        let limits = Limits { connections: 2, headers: Duration::from_millis(300) };
        Site { at, stop, task: tokio::spawn(serve(listener, router, limits, stopped)), says }
    }

    impl Site {
        #[expect(clippy::disallowed_methods, reason = "a client that misbehaves on loopback is what is tested")]
        async fn send(&self, text: &str) -> TcpStream {
            let mut tcp = TcpStream::connect(self.at).await.unwrap();
            tcp.write_all(text.as_bytes()).await.unwrap();
            tcp
        }
    }

    async fn until(tcp: &mut TcpStream, word: &str) -> String {
        let mut read = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&read).contains(word) {
                assert!(tcp.read_buf(&mut read).await.unwrap() > 0, "it ended");
            }
        };
        timeout(SOON, reading).await.unwrap_or_else(|_| panic!("no {word}"));
        String::from_utf8(read).unwrap()
    }

    async fn ended(tcp: &mut TcpStream) {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = timeout(SOON, tcp.read_to_end(&mut rest)).await.expect("it is ended");
    }

    #[tokio::test]
    async fn those_who_trickle_or_stay_silent_make_room() {
        let site = site().await;
        for said in ["", "P", "PRI * HT", "GET /who HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
            let mut holders = [site.send(said).await, site.send(said).await];
            let mut third = site.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let own = third.local_addr().unwrap().to_string();
            until(&mut third, &own).await;
            for holder in &mut holders {
                ended(holder).await;
            }
            ended(&mut third).await;
        }
    }

    #[tokio::test]
    async fn a_live_page_stays_and_a_stop_waits_for_what_was_asked() {
        let mut site = site().await;
        let mut live = site.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n").await;
        site.says.send("one").await.unwrap();
        until(&mut live, "one").await;
        ended(&mut site.send("G").await).await;
        ended(&mut site.send("G").await).await;
        site.says.send("two").await.unwrap();
        until(&mut live, "two").await;
        site.stop.send(()).unwrap();
        timeout(Duration::from_millis(50), &mut site.task).await.unwrap_err();
        drop(site.says);
        ended(&mut live).await;
        timeout(SOON, site.task).await.unwrap().unwrap();
    }

    #[test]
    fn the_site_takes_a_quarter_of_the_descriptors_at_most() {
        let connections = |descriptors| Limits::of(descriptors).connections;
        assert_eq!([0, 256, 1_024, 1_048_576].map(connections), [1, 64, 256, 1_000]);
    }
}
