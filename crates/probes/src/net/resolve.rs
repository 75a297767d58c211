//! From a name to addresses, and whose fault it is when there are none.
//!
//! Every lookup goes to the wire: a cache of ours would hide an outage of the customer's name servers, or prolong one.
//! There is no search list, so `intranet` never becomes `intranet.corp.example`. The hosts file is consulted, and what
//! it says is judged by the guard like every other answer.
//!
//! "That name does not exist" and "its servers failed" are answers about the customer's name. "Our resolver does not
//! answer" is about us, and becomes `unknown`.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use gazer_domain::cause::{Cause, Code};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, Resolver, TokioResolver, system_conf};
use tokio::time::timeout;

/// One try; with one more a name costs at most three seconds of a check's ten.
const TRY: Duration = Duration::from_millis(1_500);
const TRIES_MORE: usize = 1;
/// In flight on one connection to a resolver. Beyond it a lookup fails as ours.
const MOST_QUERIES: usize = 1_024;
/// How long IPv6 addresses are awaited once those of IPv4 are there (RFC 8305 §3 says 50 ms). The reverse has no such
/// bound: this lookup answers once, and most sites that have both are known by IPv4 where IPv6 is broken.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a name led to. `aliases` are the targets of its CNAMEs, which the guard judges as names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub addresses: Vec<IpAddr>,
    pub aliases: Vec<String>,
}

/// The source of addresses: the world's name servers, or in tests a table.
pub trait Names: Send + Sync + std::fmt::Debug {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, Result<Answer, Cause>>;
}

/// Asks the machine's resolvers, or those that the operator named.
#[derive(Clone)]
pub struct Wire(TokioResolver);

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    /// Takes the machine's own servers if `resolvers` is empty, though never its search list. `hosts` is the text of a
    /// hosts file, which goes before any server.
    pub fn new(resolvers: &[SocketAddr], hosts: &str) -> Result<Self, NetError> {
        let config = if resolvers.is_empty() { machine() } else { servers(resolvers) };
        let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        bound(builder.options_mut());
        let mut resolver = builder.build()?;
        let mut known = Hosts::default();
        if let Err(err) = known.read_hosts_conf(hosts.as_bytes()) {
            tracing::warn!(error = %err, "the hosts file cannot be read; names are looked up without it");
        }
        resolver.set_hosts(Arc::new(known));
        Ok(Self(resolver))
    }

    async fn family(&self, name: &Name, family: RecordType) -> Result<Lookup, NetError> {
        self.0.lookup(name.clone(), family).await
    }

    async fn both(&self, host: &str) -> Result<Answer, Cause> {
        let spelled = format!("{}.", host.trim_end_matches('.'));
        let name = Name::from_ascii(&spelled)
            .map_err(|err| Cause::new(Code::DnsNotFound, format!("{host} is not a name that DNS can hold: {err}")))?;
        let v4 = std::pin::pin!(self.family(&name, RecordType::A));
        let v6 = std::pin::pin!(self.family(&name, RecordType::AAAA));
        let (first, second) = match select(v4, v6).await {
            Either::Left((v4, v6)) if v4.as_ref().is_ok_and(has_address) => {
                (v4, timeout(RESOLUTION_DELAY, v6).await.ok())
            }
            Either::Left((v4, v6)) => (v4, Some(v6.await)),
            Either::Right((v6, v4)) => (v6, Some(v4.await)),
        };
        merge(host, std::iter::once(first).chain(second))
    }
}

impl Names for Wire {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, Result<Answer, Cause>> {
        Box::pin(self.both(name))
    }
}

/// `localhost` and every name below it is this machine (RFC 6761 §6.3), whatever a resolver says.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host == "localhost" || host.ends_with(".localhost")
}

pub(crate) fn loopback() -> Answer {
    Answer { addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], aliases: Vec::new() }
}

/// The servers of resolv.conf; without any, the one on this machine, as resolv.conf(5) says.
fn machine() -> ResolverConfig {
    let named = system_conf::read_system_conf().map(|(config, _)| config.into_parts().2).unwrap_or_default();
    if named.is_empty() {
        return servers(&[SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53)]);
    }
    ResolverConfig::from_name_servers(named)
}

fn servers(resolvers: &[SocketAddr]) -> ResolverConfig {
    let server = |at: &SocketAddr| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = at.port();
        }
        NameServerConfig::new(at.ip(), true, connections)
    };
    ResolverConfig::from_name_servers(resolvers.iter().map(server).collect())
}

fn bound(options: &mut ResolverOpts) {
    options.timeout = TRY;
    // The first one does not count.
    options.attempts = TRIES_MORE;
    options.cache_size = 0;
    options.preserve_intermediates = true;
    options.max_active_requests = MOST_QUERIES;
    options.use_hosts_file = ResolveHosts::Never;
}

fn has_address(lookup: &Lookup) -> bool {
    lookup.answers().iter().any(|record| matches!(record.data, RData::A(_) | RData::AAAA(_)))
}

/// Joins what both families said: addresses win, then what is certain about the name, then what went wrong.
fn merge(host: &str, said: impl Iterator<Item = Result<Lookup, NetError>>) -> Result<Answer, Cause> {
    let mut answer = Answer::default();
    let mut worst: Option<Cause> = None;
    for one in said {
        match one {
            Ok(lookup) => take(&mut answer, &lookup),
            Err(err) => {
                let cause = fault(host, &err);
                let weighs = worst.as_ref().is_none_or(|known| weight(known.code) < weight(cause.code));
                worst = if weighs { Some(cause) } else { worst };
            }
        }
    }
    if !answer.addresses.is_empty() {
        return Ok(answer);
    }
    Err(worst.unwrap_or_else(|| no_address(host)))
}

fn take(answer: &mut Answer, lookup: &Lookup) {
    for record in lookup.answers() {
        match &record.data {
            RData::A(a) => answer.addresses.push(a.0.into()),
            RData::AAAA(aaaa) => answer.addresses.push(aaaa.0.into()),
            RData::CNAME(target) => answer.aliases.push(target.0.to_ascii().trim_end_matches('.').to_owned()),
            _ => {}
        }
    }
}

/// A failure of one family outweighs an empty answer of the other: it may have had the addresses.
fn weight(code: Code) -> u8 {
    match code {
        Code::DnsNotFound => 3,
        Code::ResolverFailed => 2,
        Code::DnsServerFailure => 1,
        _ => 0,
    }
}

fn no_address(host: &str) -> Cause {
    Cause::new(Code::DnsNoAddress, format!("{host} exists but has no address"))
}

fn fault(host: &str, err: &NetError) -> Cause {
    match err {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => Cause::new(Code::DnsNotFound, format!("the name {host} does not exist")),
            ResponseCode::NoError => no_address(host),
            code => server_failure(host, code),
        },
        // A resolver that refuses us says nothing about the name.
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused | ResponseCode::NotImp)) => {
            Cause::new(Code::ResolverFailed, format!("our resolver refused to look {host} up"))
        }
        NetError::Dns(DnsError::ResponseCode(code)) => server_failure(host, *code),
        NetError::Timeout => {
            Cause::new(Code::ResolverFailed, format!("our resolver did not answer in time for {host}"))
        }
        // What hickory makes of every error of a socket, with the error itself lost. It says nothing about the name.
        NetError::NoConnections if no_socket_is_left() => {
            Cause::new(Code::NoDescriptors, "no file descriptor was left to ask the resolver")
        }
        NetError::NoConnections => {
            Cause::new(Code::NetworkDown, format!("our resolver cannot be reached to look {host} up"))
        }
        err => Cause::new(Code::ResolverFailed, format!("our resolver could not be asked for {host}: {err}")),
    }
}

fn no_socket_is_left() -> bool {
    let tried = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    tried.is_err_and(|err| matches!(err.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)))
}

fn server_failure(host: &str, code: ResponseCode) -> Cause {
    Cause::new(Code::DnsServerFailure, format!("the name servers of {host} failed: {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_could_not_be_had_says_nothing_about_the_name() {
        assert_eq!(fault("www.customer.test", &NetError::NoConnections).code, Code::NetworkDown);
    }
}
