//! Plays a script to one connection.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{H2Fault, Step};

const DRIP: Duration = Duration::from_millis(100);

/// Ends when the script says so or the peer leaves; a script that ends otherwise leaves the connection open and silent.
pub(super) async fn play<S>(script: &[Step], mut stream: S, tcp: fn(&S) -> &TcpStream)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = String::new();
    for step in script {
        let gone = match step {
            Step::ReadHead => read_head(&mut stream).await.map(|read| head = read),
            Step::ReadSome => stream.read(&mut vec![0; 16 * 1024]).await.map(drop),
            Step::Say(text) => say(&mut stream, text.as_bytes()).await,
            Step::SayBytes(bytes) => say(&mut stream, bytes).await,
            Step::Make(made) => say(&mut stream, made()).await,
            Step::Drip(text) => drip(&mut stream, text.as_bytes()).await,
            Step::Flood(text) => flood(&mut stream, text.as_bytes()).await,
            Step::RedirectChain(links) => say(&mut stream, link(&head, *links).as_bytes()).await,
            Step::Close => {
                stream.shutdown().await.ok();
                // A socket closed over unread bytes sends RST, which would be another misbehaviour.
                return until_gone(&mut stream).await;
            }
            Step::Vanish => return,
            Step::Reset => {
                tcp(&stream).set_zero_linger().ok();
                return;
            }
        };
        if gone.is_err() {
            return;
        }
    }
    if script.is_empty() {
        // Never reading is the whole point of an empty script.
        return std::future::pending().await;
    }
    // Silent, but a peer that gave up gives its descriptor back.
    until_gone(&mut stream).await;
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    loop {
        for byte in bytes {
            say(stream, &[*byte]).await?;
            tokio::time::sleep(DRIP).await;
        }
    }
}

/// In pieces of at least 16 KiB, or the flood would be one of system calls.
async fn flood<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    let piece = bytes.repeat(16 * 1024 / bytes.len() + 1);
    loop {
        say(stream, &piece).await?;
    }
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

pub(super) async fn until_gone<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
}

/// The answer to `GET /3`: on to `/4`, or 200 at the end of the chain.
fn link(head: &str, links: u32) -> String {
    let path = head.split(' ').nth(1).unwrap_or("/");
    let number: u32 = path.trim_start_matches('/').parse().unwrap_or(0);
    if number >= links {
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok".to_owned();
    }
    format!("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n", number + 1)
}

/// A SETTINGS frame without settings.
const H2_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// The last stream looked at is 0; the reason is ENHANCE_YOUR_CALM.
const H2_GO_AWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
/// The head of a HEADERS frame on stream 1.
const H2_HUGE_FRAME: &[u8] = &[0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1];

/// Speaks HTTP/2 up to its fault.
pub(super) async fn h2<S>(fault: H2Fault, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Faults that the h2 crate is too polite for are written by hand.
    match fault {
        H2Fault::GoAway => blurt(stream, H2_GO_AWAY).await.unwrap_or_default(),
        H2Fault::Close => blurt(stream, &[]).await.unwrap_or_default(),
        H2Fault::FrameTooLarge => blurt(stream, H2_HUGE_FRAME).await.unwrap_or_default(),
        _ => answer(fault, stream).await,
    }
}

/// Reads up to the first request, says these bytes, and is silent; with nothing to say it closes.
async fn blurt<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> io::Result<()> {
    const PREFACE: usize = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
    const HEADERS: u8 = 1;
    stream.read_exact(&mut [0; PREFACE]).await?;
    say(&mut stream, H2_SETTINGS).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = (&mut stream).take(u64::from(length));
        tokio::io::copy(&mut payload, &mut tokio::io::sink()).await?;
        if head[3] == HEADERS {
            break;
        }
    }
    if bytes.is_empty() {
        return stream.shutdown().await;
    }
    say(&mut stream, bytes).await?;
    std::future::pending().await
}

/// The connection has to be polled for what was said to go out, hence the loop.
async fn answer<S>(fault: H2Fault, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    // Dropping what answers a stream resets it, so what stays silent is kept.
    let mut kept = Vec::new();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        match fault {
            H2Fault::ResetStream => respond.send_reset(Reason::INTERNAL_ERROR),
            H2Fault::Silent => kept.push((Some(respond), None)),
            _ => {
                let head = http::Response::builder().header("content-length", 10).body(()).expect("the head is valid");
                let Ok(mut body) = respond.send_response(head, false) else { return };
                let whole = fault == H2Fault::None;
                let said = if whole { "0123456789" } else { "01234" };
                body.send_data(Bytes::from_static(said.as_bytes()), whole).ok();
                if fault == H2Fault::ResetMidBody {
                    body.send_reset(Reason::INTERNAL_ERROR);
                }
                kept.push((None, Some(body)));
            }
        }
    }
}
