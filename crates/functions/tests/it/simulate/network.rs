//! A network of streams in memory: sites that follow their script, one receiver of webhooks, and witnesses.
//!
//! It loses packets, and sends them again as TCP would: a connection's first packet after 1 s, then 2 s, 4 s; one of an
//! established connection after 300 ms, doubling. What is delayed beyond the prober's deadline fails there, as it would.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_probes::net::{Answer, Connection, Names, Pending, Sockets};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

use super::faults::{Faults, Stretch};
use super::time::{Time, True};
use super::truth::{Failing, Site};
use gazer_testkit::chance::Chance;

pub(crate) const RECEIVER: &str = "hooks.test";
pub(crate) const WITNESS: &str = "1.1.1.1:443";
const RECEIVER_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(23, 0, 0, 1));
/// Sites live at 24.0.0.0 and on: public addresses, which nothing here ever really dials.
const FIRST_SITE: u32 = u32::from_be_bytes([24, 0, 0, 0]);
const ROUND_TRIP: Duration = Duration::from_millis(20);
const SYN_AGAIN: Duration = Duration::from_secs(1);
const DATA_AGAIN: Duration = Duration::from_millis(300);

/// One message as the receiver took it.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) at: True,
    pub(crate) id: String,
    pub(crate) json: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    time: Time,
    sites: Vec<Site>,
    cuts: Vec<Stretch>,
    faults: Faults,
    chance: Mutex<Chance>,
    receipts: Mutex<Vec<Receipt>>,
}

pub(crate) fn name_of(site: usize) -> String {
    format!("site{site}.test")
}

impl Network {
    pub(crate) fn new(time: Time, sites: Vec<Site>, cuts: Vec<Stretch>, faults: Faults, chance: Chance) -> Self {
        let (chance, receipts) = (Mutex::new(chance), Mutex::default());
        Self(Arc::new(Inner { time, sites, cuts, faults, chance, receipts }))
    }

    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.0.receipts.lock().expect("no panics here").clone()
    }

    fn is_cut(&self) -> bool {
        let now = self.0.time.now();
        self.0.cuts.iter().any(|cut| cut.holds(now))
    }

    fn once_in(&self, times: u64) -> bool {
        self.0.chance.lock().expect("no panics here").once_in(times)
    }

    /// The time that a packet takes, with those before it that were lost.
    async fn packet(&self, mut again: Duration) {
        let mut wait = ROUND_TRIP / 2;
        while self.once_in(self.0.faults.packet_lost) {
            wait += again;
            again *= 2;
        }
        sleep(wait).await;
    }

    async fn answer(self, to: IpAddr, mut stream: DuplexStream) {
        let IpAddr::V4(ip) = to else { return };
        if to == RECEIVER_IP {
            return self.receive(stream).await;
        }
        let Some(site) = u32::from(ip).checked_sub(FIRST_SITE).and_then(|n| self.0.sites.get(n as usize)) else {
            return;
        };
        if read_request(&mut stream).await.is_none() {
            return;
        }
        self.packet(DATA_AGAIN).await;
        let status = match site.failing(self.0.time.now()) {
            None => "200 OK",
            Some(Failing::Answers500) => "500 Internal Server Error",
            Some(Failing::Stalls) => return until_left(stream).await,
            // Dropping the stream ends it before a word.
            Some(Failing::Resets | Failing::Refuses) => return,
        };
        self.packet(DATA_AGAIN).await;
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nhi").as_bytes()).await;
    }

    async fn receive(self, mut stream: DuplexStream) {
        let Some((head, body)) = read_request(&mut stream).await else { return };
        self.packet(DATA_AGAIN).await;
        let (fails, takes) = (self.once_in(self.0.faults.receiver_fails), self.once_in(2));
        if !fails || takes {
            let id = head.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap_or_default().to_owned();
            let json = serde_json::from_slice(&body).expect("messages are JSON");
            let receipt = Receipt { at: self.0.time.now(), id, json };
            self.0.receipts.lock().expect("no panics here").push(receipt);
        }
        let answer = match (fails, takes) {
            (false, _) => "HTTP/1.1 204 No Content\r\n\r\n",
            // It took the message, and its answer is lost.
            (true, true) => return until_left(stream).await,
            (true, false) => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        };
        self.packet(DATA_AGAIN).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

impl Names for Network {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, Result<Answer, Cause>> {
        Box::pin(async move {
            if self.is_cut() {
                sleep(Duration::from_secs(3)).await;
                return Err(Cause::new(Code::ResolverFailed, "our resolver did not answer in time"));
            }
            self.packet(SYN_AGAIN).await;
            let site = name.strip_prefix("site").and_then(|rest| rest.strip_suffix(".test")?.parse::<u32>().ok());
            let ip = match site {
                Some(number) => IpAddr::V4(Ipv4Addr::from(FIRST_SITE + number)),
                None if name == RECEIVER => RECEIVER_IP,
                None => return Err(Cause::new(Code::DnsNotFound, format!("there is no {name}"))),
            };
            Ok(Answer { addresses: vec![ip], aliases: Vec::new() })
        })
    }
}

impl Sockets for Network {
    fn connect(&self, to: SocketAddr) -> Pending<'_, io::Result<Box<dyn Connection>>> {
        Box::pin(async move {
            if self.is_cut() {
                return std::future::pending().await;
            }
            self.packet(SYN_AGAIN).await;
            let IpAddr::V4(ip) = to.ip() else { return Err(io::ErrorKind::HostUnreachable.into()) };
            let site = u32::from(ip).checked_sub(FIRST_SITE).and_then(|n| self.0.sites.get(n as usize));
            if site.is_some_and(|site| site.failing(self.0.time.now()) == Some(Failing::Refuses)) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(16 * 1024);
            tokio::spawn(self.clone().answer(to.ip(), theirs));
            Ok(Box::new(Wire(ours)) as Box<dyn Connection>)
        })
    }
}

/// Says nothing until the peer has left.
async fn until_left(mut stream: DuplexStream) {
    while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
}

/// The head and the body of a request; nothing if the peer left.
async fn read_request(stream: &mut DuplexStream) -> Option<(String, Vec<u8>)> {
    let (mut read, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let end = read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if read.len() >= end + length.unwrap_or(0) {
                return Some((head, read[end..].to_vec()));
            }
        }
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => read.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
}

/// One end of a stream in memory.
#[derive(Debug)]
struct Wire(DuplexStream);

impl Connection for Wire {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([10, 0, 0, 1], 50_000)))
    }

    fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

impl tokio::io::AsyncRead for Wire {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Wire {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
