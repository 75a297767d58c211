//! What one check costs in CPU, beside a bare loop on hyper's connection API that asks the same of the same server.
//!
//! `cargo bench -p gazer-probes --bench http_probe`
//!
//! Both take a fresh connection per check to an address literal, verify the certificate, resume no session and read the
//! body. The rounds alternate, so that a noisy neighbour disturbs both. The server is this program again in a process
//! of its own, whose CPU does not count. The bare loop does what any client must and no more: no deadline, no
//! judgement of the address, no phases, no facts, no evidence.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::future::join_all;
use gazer_domain::MonitorId;
use gazer_domain::assertion::{Assertion, Op};
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::Verify;
use gazer_domain::verdict::Verdict;
use gazer_probes::{Config, Job, Keep, Prober};
use gazer_testkit::ca::Ca;
use gazer_testkit::now::now;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const ROUNDS: usize = 9;
const AT_ONCE: usize = 8;
/// Checks of one round, plain and over TLS.
const PLAIN: usize = 4_000;
const TLS: usize = 1_500;
const SERVE: &str = "--serve";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if std::env::args().any(|arg| arg == SERVE) {
        runtime.block_on(serve());
        return;
    }
    runtime.block_on(measure());
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn measure() {
    let server = Server::start();
    let config = Config { extra_roots: vec![server.root.clone()], witnesses: Vec::new(), ..Config::new(now) };
    let prober = Prober::new(config).expect("a prober");
    println!("µs of CPU per check: median over {ROUNDS} alternating rounds, {AT_ONCE} checks at once, one thread");
    println!("{:<10} {:>8} {:>8} {:>8} {:>8}", "", "bare", "probe", "ratio", "allowed");
    for (name, url, checks, allowed) in [
        ("http", format!("http://{}/", server.plain), PLAIN, 1.5),
        ("tls 1.3", format!("https://{}/", server.tls), TLS, 1.2),
    ] {
        let bare = Bare::new(&server, name != "http");
        let job = job(&prober, &url);
        let (mut costs_bare, mut costs_probe, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let cost_bare = cost(checks, || bare.ask()).await;
            let cost_probe = cost(checks, || async {
                let seen = prober.check(&job, now).await;
                assert_eq!(seen.judgement.verdict, Verdict::Up, "{seen:?}");
            })
            .await;
            costs_bare.push(cost_bare);
            costs_probe.push(cost_probe);
            ratios.push(cost_probe / cost_bare);
        }
        let (bare, probe, ratio) = (median(costs_bare), median(costs_probe), median(ratios));
        println!("{name:<10} {bare:>8.1} {probe:>8.1} {ratio:>8.2} {allowed:>8.2}");
    }
}

fn job(prober: &Prober, url: &str) -> Job {
    let mut spec = HttpSpec::get(url.parse().expect("a URL"));
    spec.assertions = vec![Assertion::Body { op: Op::Contains, value: "well".into() }];
    let plan = prober.compile(&spec).expect("a plan");
    let verify = Verify { attempts: 0, gap: Duration::ZERO };
    Job { monitor: MonitorId::from_bits(1), revision: 1, slot: now(), plan, verify, keep: Keep::Failures }
}

/// Microseconds of this process per call.
async fn cost<F: Future<Output = ()>>(checks: usize, ask: impl Fn() -> F) -> f64 {
    let before = cpu();
    join_all((0..AT_ONCE).map(|_| async {
        for _ in 0..checks / AT_ONCE {
            ask().await;
        }
    }))
    .await;
    (cpu() - before).as_secs_f64() * 1e6 / checks as f64
}

/// Time on the CPU of all threads, in nanoseconds (Documentation/scheduler/sched-stats.rst).
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("proc is mounted");
    let nanos = tasks.filter_map(|task| {
        let schedstat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// hyper's connection API and nothing else.
struct Bare {
    at: SocketAddr,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Bare {
    fn new(server: &Server, tls: bool) -> Self {
        if !tls {
            return Self { at: server.plain, tls: None };
        }
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add(server.root.clone()).expect("our root");
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::IpAddress(server.tls.ip().into());
        Self { at: server.tls, tls: Some((TlsConnector::from(Arc::new(config)), name)) }
    }

    #[expect(clippy::disallowed_methods, reason = "the bare loop is what the probe is measured against")]
    async fn ask(&self) {
        let stream = TcpStream::connect(self.at).await.expect("the server listens");
        match &self.tls {
            None => self.over(stream).await,
            Some((connector, name)) => {
                let _ = stream.set_nodelay(true);
                self.over(connector.connect(name.clone(), stream).await.expect("a handshake")).await;
            }
        }
    }

    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S) {
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.expect("a connection");
        tokio::spawn(connection);
        let request = http::Request::get("/")
            .header("host", self.at.to_string())
            .header("user-agent", "bare")
            .header("accept", "*/*")
            .body(Empty::<Bytes>::new())
            .expect("a request");
        let mut response = sender.send_request(request).await.expect("an answer");
        assert!(response.status().is_success());
        while let Some(frame) = response.body_mut().frame().await {
            frame.expect("a piece of the body");
        }
    }
}

/// This program again, as the server.
struct Server {
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
    root: CertificateDer<'static>,
}

impl Server {
    fn start() -> Self {
        let me = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(me).arg(SERVE).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut line = || lines.next().expect("the server says where it listens").expect("it says so in text");
        let plain = line().parse().expect("an address");
        let tls = line().parse().expect("an address");
        let root = CertificateDer::from(BASE64.decode(line()).expect("a certificate"));
        Self { child, plain, tls, root }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve() {
    let authority = Ca::new("Benchmark");
    let acceptor = TlsAcceptor::from(authority.leaf(&["127.0.0.1"]).server(&["http/1.1"]));
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let tls = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut out = std::io::stdout();
    for listener in [&plain, &tls] {
        writeln!(out, "{}", listener.local_addr().expect("an address")).expect("the client listens");
    }
    writeln!(out, "{}", BASE64.encode(authority.der())).expect("the client listens");
    out.flush().expect("the client listens");
    let over_tls = async {
        while let Ok((stream, _)) = tls.accept().await {
            let acceptor = acceptor.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            });
        }
    };
    let in_the_clear = async {
        while let Ok((stream, _)) = plain.accept().await {
            tokio::spawn(answer(stream));
        }
    };
    tokio::join!(over_tls, in_the_clear);
}

/// One request, one answer of a kilobyte, until the client leaves.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let body = format!("all is well {}", "x".repeat(1_000));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = head + &body;
    let mut asked = [0; 2_048];
    while let Ok(length) = stream.read(&mut asked).await {
        if length == 0 || stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
