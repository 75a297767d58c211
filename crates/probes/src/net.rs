//! The one door to the outside world.
//!
//! Whatever goes to an address that a user supplied comes through [`Door::dial`]: the name is judged, resolved, every
//! address judged, and only a judged address is dialled, on every dial and on every redirect. Environment proxies are
//! not looked at: a proxy would be judged instead of the target.
//!
//! A dial takes as long as the network lets it. Callers put one deadline around all of their steps and read from
//! [`Stage`] which one stalled.

pub mod dial;
pub mod guard;
pub mod resolve;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use gazer_domain::cause::{Cause, Code};
use tokio::time::Instant;
use url::{Host, Url};

pub use dial::{Connection, Kernel, Sockets, Stream};
pub use guard::{AllowRule, Cidr, Egress, Guard, is_public};
pub use resolve::{Answer, Names, Pending, Wire};

/// Resolves, judges and dials.
#[derive(Debug, Clone)]
pub struct Door {
    guard: Guard,
    names: Arc<dyn Names>,
    sockets: Arc<dyn Sockets>,
}

/// A connection to an address that was judged.
#[derive(Debug)]
pub struct Dialled {
    pub stream: Stream,
    pub address: SocketAddr,
    pub dns_us: u32,
    pub connect_us: u32,
}

/// How far a dial has come; where a deadline ends it, this says what stalled, and which address
/// that was; where the dial failed, whose fault decided.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    pub dns_us: u32,
    pub connecting: Option<(Instant, SocketAddr)>,
}

impl Door {
    pub fn new(guard: Guard, names: Arc<dyn Names>, sockets: Arc<dyn Sockets>) -> Self {
        Self { guard, names, sockets }
    }

    /// Connects to `host`, over another address than `avoid` where there is one.
    pub async fn dial(
        &self,
        host: Host<&str>,
        port: u16,
        avoid: Option<SocketAddr>,
        stage: &mut Stage,
    ) -> Result<Dialled, Cause> {
        let begun = Instant::now();
        if let Some(literal) = literal(&host) {
            // Literals skip the resolver, and the list that a name would need.
            let to = self.guard.judge("", SocketAddr::new(literal, port))?;
            return self.connect(&[to], begun, stage).await;
        }
        let Host::Domain(name) = host else { return Err(Cause::new(Code::Internal, "a host is a name or an address")) };
        let to = self.judged(name, port, avoid).await?;
        stage.dns_us = micros(begun);
        self.connect(&to, Instant::now(), stage).await
    }

    /// Judges what a URL says, before any name is looked up: a literal or a name that is refused stays so, while where a
    /// name leads may change.
    pub fn judge(&self, url: &Url) -> Result<(), Cause> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return Ok(()) };
        match (literal(&host), host) {
            (Some(ip), _) => self.guard.judge("", SocketAddr::new(ip, port)).map(drop),
            (None, Host::Domain(name)) => self.guard.judge_name(name),
            (None, _) => Ok(()),
        }
    }

    /// Every address of `name` that may be dialled; the refusal if there is none.
    async fn judged(&self, name: &str, port: u16, avoid: Option<SocketAddr>) -> Result<Vec<SocketAddr>, Cause> {
        self.guard.judge_name(name)?;
        let answer =
            if resolve::is_loopback_name(name) { resolve::loopback() } else { self.names.lookup(name).await? };
        for alias in &answer.aliases {
            self.guard.judge_name(&alias.to_ascii_lowercase())?;
        }
        let mut to = Vec::with_capacity(answer.addresses.len());
        let mut refusal = None;
        for ip in dial::order(answer.addresses, avoid) {
            match self.guard.judge(name, SocketAddr::new(ip, port)) {
                Ok(at) => to.push(at),
                Err(cause) => refusal = refusal.or(Some(cause)),
            }
        }
        match refusal {
            Some(Cause { code, text }) if to.is_empty() => {
                Err(Cause::new(code, format!("{name} leads nowhere: {text}")))
            }
            None if to.is_empty() => Err(Cause::new(Code::DnsNoAddress, format!("{name} exists but has no address"))),
            _ => Ok(to),
        }
    }

    async fn connect(&self, to: &[SocketAddr], begun: Instant, stage: &mut Stage) -> Result<Dialled, Cause> {
        let (_, blamed) = stage.connecting.insert((begun, to[0]));
        let (stream, address) = dial::first_of(self.sockets.as_ref(), to, blamed).await?;
        let connect_us = micros(begun);
        if self.guard.may_be_ourselves(address)
            && stream.local_addr().is_ok_and(|local| self.guard.is_ourselves(local.ip(), address))
        {
            return Err(Cause::new(Code::EgressDenied, format!("{address} is an address of this Gazer itself")));
        }
        Ok(Dialled { stream, address, dns_us: stage.dns_us, connect_us })
    }
}

fn literal<S>(host: &Host<S>) -> Option<std::net::IpAddr> {
    match host {
        Host::Ipv4(ip) => Some((*ip).into()),
        Host::Ipv6(ip) => Some((*ip).into()),
        Host::Domain(_) => None,
    }
}

/// Microseconds since `begun`, as phases carry them: at least one, so that a phase that happened never reads as none.
pub(crate) fn micros(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX).max(1)
}
