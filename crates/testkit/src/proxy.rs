//! A relay before a server of TCP, which can be made slow, silent or absent while connections pass through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::serve::{self, Server};

/// What becomes of what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// As if it were not there.
    Open,
    /// What the server answers comes this much later.
    Late(Duration),
    /// Connections are taken, and nothing passes.
    Stalled,
    /// Connections end, and new ones are ended at once.
    Cut,
}

/// Dropping it ends every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    passage: watch::Sender<Passage>,
    _server: Server,
}

impl Proxy {
    /// Before the server at this address, and open.
    pub async fn before(server: SocketAddr) -> Self {
        let (listener, address): (TcpListener, _) = serve::listen(0);
        let (passage, seen) = watch::channel(Passage::Open);
        let seen = Arc::new(seen);
        let relay = move |tcp| relay(tcp, server, (*seen).clone());
        Self { address, passage, _server: Server::tcp(listener, relay) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For what is on its way as well: what was held back goes on once the passage is open.
    pub fn turn(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

async fn relay(client: TcpStream, server: SocketAddr, passage: watch::Receiver<Passage>) {
    #[expect(clippy::disallowed_methods, reason = "a relay dials the server that it stands before")]
    let Ok(server) = TcpStream::connect(server).await else { return };
    server.set_nodelay(true).ok();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = passage.clone();
    tokio::select! {
        () = pump(from_client, to_server, passage.clone(), |_| Duration::ZERO) => {}
        () = pump(from_server, to_client, passage, late) => {}
        _ = cut.wait_for(|passage| *passage == Passage::Cut) => {}
    }
}

fn late(passage: Passage) -> Duration {
    if let Passage::Late(by) = passage { by } else { Duration::ZERO }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut passage: watch::Receiver<Passage>,
    late: impl Fn(Passage) -> Duration,
) {
    let mut part = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut part).await {
        let came = Instant::now();
        loop {
            let now = *passage.borrow_and_update();
            let due = came + late(now);
            let passes = now != Passage::Stalled && due <= Instant::now();
            if passes {
                break;
            }
            tokio::select! {
                () = sleep_until(due), if now != Passage::Stalled => {}
                turned = passage.changed() => if turned.is_err() { return },
            }
        }
        if to.write_all(&part[..read]).await.is_err() {
            return;
        }
    }
}
