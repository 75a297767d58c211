//! From judged addresses to one connection: happy eyeballs (RFC 8305), and what the errors of `connect` mean.
//!
//! Addresses are tried in turn, the next one as soon as the last failed or after a quarter of a second, and the first
//! that answers wins. Where all fail, the cause is the one that says most about the site: a refusal over a missing
//! route, because a machine without IPv6 has no route to half of every list. What a machine without IPv6 says of an IPv6
//! address says nothing about the site at all, and decides only where there is nothing else to go by.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use gazer_domain::cause::{Cause, Code};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::resolve::Pending;

/// RFC 8305 §5, "Connection Attempt Delay".
const STAGGER: Duration = Duration::from_millis(250);
/// Beyond these, a name's further addresses are not tried: the deadline would not reach them.
pub(crate) const MOST_ADDRESSES: usize = 8;

/// The step that opens a socket. Tests put a recorder here, which proves what was not dialled; the simulation puts a
/// network there that loses packets.
pub trait Sockets: Send + Sync + std::fmt::Debug {
    fn connect(&self, to: SocketAddr) -> Pending<'_, io::Result<Stream>>;
}

/// An open connection; what is said over it does not depend on what it is made of.
pub type Stream = Box<dyn Connection>;

pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {
    fn local_addr(&self) -> io::Result<SocketAddr>;

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()>;
}

impl Connection for TcpStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.set_nodelay(nodelay)
    }
}

/// The real network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

impl Sockets for Kernel {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that dials, after the guard's judgement")]
    fn connect(&self, to: SocketAddr) -> Pending<'_, io::Result<Stream>> {
        Box::pin(async move { Ok(Box::new(TcpStream::connect(to).await?) as Stream) })
    }
}

/// Tries the addresses in their order; they have been judged. `blamed` is the address that evidence should name while
/// the dial runs, and after it failed: one that is still silent, then the one whose fault decided.
pub(crate) async fn first_of(
    sockets: &dyn Sockets,
    to: &[SocketAddr],
    blamed: &mut SocketAddr,
) -> Result<(Stream, SocketAddr), Cause> {
    if let [only] = to {
        return match sockets.connect(*only).await {
            Ok(stream) => Ok((stream, *only)),
            Err(err) => Err(fault(*only, &err)),
        };
    }
    let mut running = FuturesUnordered::new();
    let mut failed = Failed::default();
    for next in to.iter().copied() {
        running.push(async move { (next, sockets.connect(next).await) });
        match timeout(STAGGER, running.next()).await {
            Ok(Some((at, Ok(stream)))) => return Ok((stream, at)),
            Ok(Some((at, Err(err)))) => *blamed = failed.note(to, at, &err),
            Ok(None) | Err(_) => {}
        }
    }
    while let Some((at, done)) = running.next().await {
        match done {
            Ok(stream) => return Ok((stream, at)),
            Err(err) => *blamed = failed.note(to, at, &err),
        }
    }
    let Some((_, cause)) = failed.telling else {
        return Err(Cause::new(Code::Internal, "there was no address to dial"));
    };
    Err(cause)
}

/// What went wrong so far.
#[derive(Default)]
struct Failed {
    at: Vec<SocketAddr>,
    /// The fault that says most, and whose it was.
    telling: Option<(SocketAddr, Cause)>,
}

impl Failed {
    /// Answers whom to blame now: the first address that is still silent, or else the one that says most.
    fn note(&mut self, to: &[SocketAddr], at: SocketAddr, err: &io::Error) -> SocketAddr {
        let cause = fault(at, err);
        let says_more = self.telling.as_ref().is_none_or(|(_, known)| weight(known.code) < weight(cause.code));
        let (decides, _) = match self.telling.take() {
            Some(known) if !says_more => self.telling.insert(known),
            _ => self.telling.insert((at, cause)),
        };
        self.at.push(at);
        to.iter().copied().find(|one| !self.at.contains(one)).unwrap_or(*decides)
    }
}

/// Orders addresses: families alternate, IPv6 first (RFC 8305 §4), and `avoid` comes last, so that a verification goes
/// over another address where there is one.
pub(crate) fn order(addresses: Vec<IpAddr>, avoid: Option<SocketAddr>) -> Vec<IpAddr> {
    if addresses.len() < 2 {
        return addresses;
    }
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::with_capacity(v6.len() + v4.len());
    loop {
        match (v6.next(), v4.next()) {
            (None, None) => break,
            (six, four) => ordered.extend(six.into_iter().chain(four)),
        }
    }
    let avoid = avoid.map(|at| at.ip());
    ordered.sort_by_key(|ip| Some(*ip) == avoid);
    ordered.dedup();
    ordered.truncate(MOST_ADDRESSES);
    ordered
}

fn weight(code: Code) -> u8 {
    match code {
        Code::NoDescriptors | Code::Overloaded => 5,
        Code::ConnectionRefused | Code::ConnectionReset => 4,
        Code::ConnectTimeout => 3,
        Code::HostUnreachable => 2,
        Code::NetworkDown => 0,
        _ => 1,
    }
}

fn fault(at: SocketAddr, err: &io::Error) -> Cause {
    let (code, text) = match err.raw_os_error() {
        Some(libc::ECONNREFUSED) => (Code::ConnectionRefused, format!("{at} refused the connection")),
        Some(libc::ECONNRESET | libc::ECONNABORTED) => {
            (Code::ConnectionReset, format!("{at} reset the connection while it was being made"))
        }
        Some(libc::ETIMEDOUT) => (Code::ConnectTimeout, format!("{at} did not accept the connection in time")),
        Some(libc::EHOSTUNREACH | libc::EHOSTDOWN) => {
            (Code::HostUnreachable, format!("{} cannot be reached: no route to the host", at.ip()))
        }
        Some(libc::ENETUNREACH | libc::ENETDOWN) => {
            (Code::NetworkDown, format!("our machine has no route to {}", at.ip()))
        }
        Some(libc::EPERM | libc::EACCES) => {
            (Code::NetworkDown, format!("our machine is not permitted to connect to {at}"))
        }
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            (Code::NoDescriptors, format!("no file descriptor was left to connect to {at}"))
        }
        // A machine without IPv6 has no address to dial an IPv6 one from; one that has used up its ports says the same.
        Some(libc::EADDRNOTAVAIL) if at.is_ipv4() => {
            (Code::Overloaded, format!("no local port was left to connect to {at}"))
        }
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => {
            (Code::NetworkDown, format!("our own network has no way to {at}: it lacks that version of IP"))
        }
        _ => match err.kind() {
            io::ErrorKind::ConnectionRefused => (Code::ConnectionRefused, format!("{at} refused the connection")),
            io::ErrorKind::TimedOut => (Code::ConnectTimeout, format!("{at} did not accept the connection in time")),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                (Code::HostUnreachable, format!("{at} cannot be reached: {err}"))
            }
            // A firewall of ours, a sandbox, a full table: nothing that a site can do.
            _ => (Code::Internal, format!("our own machine could not dial {at}: {err}")),
        },
    };
    Cause::new(code, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate_and_the_avoided_address_comes_last() {
        let all = ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
        assert_eq!(order(all.clone(), None), ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
        let avoid = Some("[2001:db8::1]:443".parse().unwrap());
        assert_eq!(order(all, avoid), ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]));
    }

    #[test]
    fn a_missing_ipv6_route_never_hides_what_ipv4_said() {
        let (four, six) = ("192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap());
        let errno = io::Error::from_raw_os_error;
        for missing in [libc::ENETUNREACH, libc::EADDRNOTAVAIL, libc::EAFNOSUPPORT, libc::EACCES] {
            let mut failed = Failed::default();
            assert_eq!(failed.note(&[six, four], six, &errno(missing)), four);
            assert_eq!(failed.note(&[six, four], four, &errno(libc::ECONNREFUSED)), four);
            assert_eq!(failed.telling.unwrap().1.text, "192.0.2.1:443 refused the connection");
        }
    }

    #[test]
    fn what_our_own_machine_lacks_is_ours() {
        let (four, six) = ("192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap());
        for (at, errno, code) in [
            (four, libc::EMFILE, Code::NoDescriptors),
            (four, libc::EADDRNOTAVAIL, Code::Overloaded),
            (six, libc::EADDRNOTAVAIL, Code::NetworkDown),
            (six, libc::EAFNOSUPPORT, Code::NetworkDown),
            (four, libc::EPERM, Code::NetworkDown),
            (four, libc::EINVAL, Code::Internal),
            (four, libc::EHOSTUNREACH, Code::HostUnreachable),
        ] {
            assert_eq!(fault(at, &io::Error::from_raw_os_error(errno)).code, code, "{at} {errno}");
        }
    }
}
