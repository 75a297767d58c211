//! The two sites that the demo watches.

use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{sleep, timeout};

use super::tell;

const WORKS: Duration = Duration::from_secs(45);
const BROKEN: Duration = Duration::from_secs(25);

/// Works until the demo ends.
pub(super) async fn steady() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let at = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, page()).await });
    Ok(at)
}

/// Works for a while, is broken for a while, and is broken differently the next time.
pub(super) async fn shaky() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let at = listener.local_addr()?;
    tokio::spawn(async move {
        if let Err(err) = shake(listener, at).await {
            tell(&format!("the shaky site lost its port and stays away: {err}"));
        }
    });
    Ok(at)
}

async fn shake(listener: TcpListener, at: SocketAddr) -> io::Result<()> {
    let mut listener = listener;
    loop {
        answer(listener, page(), WORKS).await;
        tell("the shaky site refuses connections");
        refuse(at).await?;
        tell("the shaky site works again");
        answer(TcpListener::bind(at).await?, page(), WORKS).await;
        tell("the shaky site answers 500 to everything");
        answer(
            TcpListener::bind(at).await?,
            Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR),
            BROKEN,
        )
        .await;
        tell("the shaky site works again");
        listener = TcpListener::bind(at).await?;
    }
}

/// Stops listening when the time is over.
async fn answer(listener: TcpListener, router: Router, during: Duration) {
    // Serving never ends by itself, so the time-out is the only way out.
    let _ = timeout(during, axum::serve(listener, router).into_future()).await;
}

/// Holds the port without listening on it, so nobody else can answer in our place.
async fn refuse(at: SocketAddr) -> io::Result<()> {
    let held = TcpSocket::new_v4()?;
    held.set_reuseaddr(true)?;
    held.bind(at)?;
    sleep(BROKEN).await;
    drop(held);
    Ok(())
}

fn page() -> Router {
    Router::new().fallback(async || Html("<!doctype html><title>A site</title><h1>All is well</h1>\n"))
}
