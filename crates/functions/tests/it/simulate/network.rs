//! A network of streams in memory: sites that follow their script, receivers of webhooks, and a witness.
//!
//! It loses packets, and sends them again as TCP would: a connection's first packet after 1 s, then 2 s, 4 s; one of an
//! established connection after 300 ms, doubling. What is delayed beyond the prober's deadline fails there, as it would.
//! A network that is cut says so at once; and while true time stands still, nothing takes any of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_probes::net::{Answer, Connection, Names, Pending, Sockets};
use gazer_testkit::chance::Chance;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::faults::{Faults, Stretch};
use super::receivers::{Receipt, Receiver, Refusal};
use super::stream::{Wire, read_request, until_left};
use super::time::Time;
use super::truth::{Failing, Site};

pub(crate) const WITNESS: &str = "1.1.1.1:443";
/// Receivers live at 23.0.0.0 and on.
const FIRST_RECEIVER: u32 = u32::from_be_bytes([23, 0, 0, 0]);
/// The operator's receiver stands beside us, and is reached also while our network is cut.
const OPERATOR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
/// Sites live at 24.0.0.0 and on: public addresses, which nothing here ever really dials.
const FIRST_SITE: u32 = u32::from_be_bytes([24, 0, 0, 0]);
const ROUND_TRIP: Duration = Duration::from_millis(20);
const SYN_AGAIN: Duration = Duration::from_secs(1);
const DATA_AGAIN: Duration = Duration::from_millis(300);

#[derive(Debug, Clone)]
pub(crate) struct Network(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) time: Time,
    pub(super) faults: Faults,
    sites: Vec<Site>,
    receivers: Vec<Receiver>,
    cuts: Vec<Stretch>,
    chance: Mutex<Chance>,
    pub(super) receipts: Mutex<Vec<Receipt>>,
    pub(super) refusals: Mutex<Vec<Refusal>>,
    /// The process that is telling somebody dies.
    pub(super) death: Notify,
}

pub(crate) fn name_of(site: usize) -> String {
    format!("site{site}.test")
}

impl Network {
    pub(crate) fn new(
        time: Time,
        sites: Vec<Site>,
        receivers: Vec<Receiver>,
        cuts: Vec<Stretch>,
        faults: Faults,
        chance: Chance,
    ) -> Self {
        let (receipts, refusals, death) = (Mutex::default(), Mutex::default(), Notify::new());
        let chance = Mutex::new(chance);
        Self(Arc::new(Inner { time, faults, sites, receivers, cuts, chance, receipts, refusals, death }))
    }

    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.0.receipts.lock().expect("no panics here").clone()
    }

    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        self.0.refusals.lock().expect("no panics here").clone()
    }

    pub(crate) async fn death(&self) {
        self.0.death.notified().await;
    }

    /// Which of the cuts lasts.
    fn cut(&self) -> Option<usize> {
        let now = self.0.time.now();
        self.0.cuts.iter().position(|cut| cut.holds(now))
    }

    pub(super) fn once_in(&self, times: u64) -> bool {
        self.0.chance.lock().expect("no panics here").once_in(times)
    }

    /// The time that a packet takes, with those before it that were lost.
    async fn packet(&self, mut again: Duration) {
        if !self.0.time.runs() {
            return;
        }
        let mut wait = ROUND_TRIP / 2;
        while self.once_in(self.0.faults.packet_lost) {
            wait += again;
            again *= 2;
        }
        sleep(wait).await;
    }

    /// A packet of a connection that stands.
    pub(super) async fn data(&self) {
        self.packet(DATA_AGAIN).await;
    }

    async fn answer(self, to: IpAddr, mut stream: DuplexStream) {
        let place = |first: u32| match to {
            IpAddr::V4(ip) => u32::from(ip).checked_sub(first).map(|n| n as usize),
            IpAddr::V6(_) => None,
        };
        if to == OPERATOR {
            return self.tell_operator(stream).await;
        }
        if let Some(site) = place(FIRST_SITE).and_then(|n| self.0.sites.get(n)) {
            return self.visit(site, stream).await;
        }
        match place(FIRST_RECEIVER).and_then(|n| Some((n, self.0.receivers.get(n)?))) {
            Some((n, receiver)) => self.receive(n, receiver, stream).await,
            // A witness: that the connection stands is answer enough.
            None => until_left(&mut stream).await,
        }
    }

    async fn visit(&self, site: &Site, mut stream: DuplexStream) {
        if read_request(&mut stream).await.is_none() {
            return;
        }
        self.data().await;
        let status = match site.failing(self.0.time.now()) {
            None => "200 OK",
            Some(Failing::Answers500) => "500 Internal Server Error",
            Some(Failing::Stalls) => return until_left(&mut stream).await,
            // Dropping the stream ends it before a word.
            Some(Failing::Resets | Failing::Refuses) => return,
        };
        self.data().await;
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nhi").as_bytes()).await;
    }
}

impl Names for Network {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, Result<Answer, Cause>> {
        Box::pin(async move {
            // In every second cut a resolver near us still knows the names.
            if self.cut().is_some_and(|cut| cut % 2 == 0) {
                if self.0.time.runs() {
                    sleep(Duration::from_secs(3)).await;
                }
                return Err(Cause::new(Code::ResolverFailed, "our resolver did not answer in time"));
            }
            self.packet(SYN_AGAIN).await;
            let number = |kind: &str| name.strip_prefix(kind)?.strip_suffix(".test")?.parse::<u32>().ok();
            let site = number("site").map(|number| FIRST_SITE + number);
            match site.or(number("hooks").map(|number| FIRST_RECEIVER + number)) {
                Some(ip) => Ok(Answer { addresses: vec![Ipv4Addr::from(ip).into()], aliases: Vec::new() }),
                None => Err(Cause::new(Code::DnsNotFound, format!("there is no {name}"))),
            }
        })
    }
}

impl Sockets for Network {
    fn connect(&self, to: SocketAddr) -> Pending<'_, io::Result<Box<dyn Connection>>> {
        Box::pin(async move {
            if self.cut().is_some() && to.ip() != OPERATOR {
                // At once: checks are played one after the other, and the hour for which witnesses keep their votes
                // would pass while a thousand of them wait in turn.
                return Err(io::ErrorKind::NetworkUnreachable.into());
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
