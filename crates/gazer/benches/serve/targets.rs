//! The sites that are watched: a process of its own that answers 200 and writes down who asked when.
//!
//! `--targets http|https SCRATCH` listens on eight ports and writes `SCRATCH/ports` (and `SCRATCH/ca.pem`). A request
//! for `/m/17` appends 12 bytes to `SCRATCH/arrivals`: the number 17 and microseconds since 1970, little endian.
//! `/stall` is accepted and never answered.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_testkit::ca::Ca;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// More than one port, so that a closed connection's port is not soon needed again.
const PORTS: usize = 8;
const BODY: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The process, ended when dropped.
#[derive(Debug)]
pub(crate) struct Targets {
    child: Child,
    scratch: PathBuf,
    scheme: Scheme,
    ports: Vec<u16>,
}

impl Targets {
    pub(crate) async fn start(scheme: Scheme, scratch: &Path) -> Self {
        let own = std::env::current_exe().expect("a running program has a file");
        let child = Command::new(own)
            .args(["--targets", scheme.as_str()])
            .arg(scratch)
            .stdin(Stdio::null())
            .spawn()
            .expect("the bench can start itself");
        let ports = scratch.join("ports");
        while !ports.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let text = std::fs::read_to_string(ports).expect("the ports were written");
        let ports = text.split_whitespace().map(|port| port.parse().expect("a port is a number")).collect();
        Self { child, scratch: scratch.to_owned(), scheme, ports }
    }

    pub(crate) fn url(&self, number: usize, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme.as_str(), self.ports[number % PORTS])
    }

    /// The authority to trust, where the scheme has one.
    pub(crate) fn authority(&self) -> Option<PathBuf> {
        (self.scheme == Scheme::Https).then(|| self.scratch.join("ca.pem"))
    }

    /// Every request so far: who, and when in microseconds since 1970.
    pub(crate) fn arrivals(&self) -> Vec<(u32, u64)> {
        let bytes = std::fs::read(self.scratch.join("arrivals")).expect("arrivals are written");
        let parts = bytes.chunks_exact(12);
        parts
            .map(|part| {
                (
                    u32::from_le_bytes(part[..4].try_into().expect("4")),
                    u64::from_le_bytes(part[4..].try_into().expect("8")),
                )
            })
            .collect()
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn serve(args: &[String]) {
    let scratch = PathBuf::from(&args[1]);
    let arrivals = Arc::new(Mutex::new(File::create(scratch.join("arrivals")).expect("scratch is writable")));
    let tls = (args[0] == "https").then(|| {
        let ca = Ca::new("Bench");
        std::fs::write(scratch.join("ca.pem"), ca.pem()).expect("scratch is writable");
        TlsAcceptor::from(ca.leaf(&["127.0.0.1"]).server(&["http/1.1"]))
    });
    let mut ports = Vec::new();
    for _ in 0..PORTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        ports.push(listener.local_addr().expect("bound").port().to_string());
        tokio::spawn(accept(listener, tls.clone(), Arc::clone(&arrivals)));
    }
    std::fs::write(scratch.join("ports.new"), ports.join(" ")).expect("scratch is writable");
    std::fs::rename(scratch.join("ports.new"), scratch.join("ports")).expect("scratch is writable");
    std::future::pending::<()>().await;
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, arrivals: Arc<Mutex<File>>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else { continue };
        let (tls, arrivals) = (tls.clone(), Arc::clone(&arrivals));
        tokio::spawn(async move {
            let _ = tcp.set_nodelay(true);
            match tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        answer(stream, &arrivals).await;
                    }
                }
                None => answer::<TcpStream>(tcp, &arrivals).await,
            }
        });
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, arrivals: &Mutex<File>) {
    let mut request = Vec::with_capacity(1024);
    let mut part = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
            _ => return,
        }
    }
    let micros = micros();
    let head = String::from_utf8_lossy(&request);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let Some(number) = path.strip_prefix("/m/").and_then(|n| n.parse::<u32>().ok()) else {
        return std::future::pending().await;
    };
    let mut record = number.to_le_bytes().to_vec();
    record.extend_from_slice(&micros.to_le_bytes());
    arrivals.lock().expect("nobody panics here").write_all(&record).expect("scratch is writable");
    let body = "x".repeat(BODY);
    let text = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {BODY}\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes()).await;
    // The client has what it asked for and closes.
    let _ = stream.read(&mut part).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench measures with the machine's clock, which Gazer does not share"
)]
pub(crate) fn micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("before the year 500,000")
}
