//! Which addresses may be dialled, and which names asked for.
//!
//! Two things decide: the egress policy, and the operator's own list. [`Egress::Open`] serves one closed team, whose
//! private network is the point; [`Egress::Public`] serves strangers, so all that is not plainly the public internet is
//! refused: for IPv6 everything outside `2000::/3`, for both families what IANA's special-purpose registries (RFC 6890)
//! list. Under either policy cloud metadata and our own listeners need the operator's exact address.
//!
//! The judgement is on the address that is dialled, after unwrapping IPv4-mapped IPv6, on every dial: a name judged at
//! save time could answer otherwise a second later. Names are judged too, but only as a courtesy that spares the
//! resolver; nothing relies on it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use gazer_domain::cause::{Cause, Code};

/// Which part of the world may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Egress {
    /// Private ranges are allowed: one team on its own machine.
    #[default]
    Open,
    /// Only the public internet: strangers may sign up.
    Public,
}

/// An exception that the operator wrote down. Tenants cannot make one: no API takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowRule {
    Net(Cidr),
    /// Covers the name that was asked for, whatever it resolves to; never the target of a CNAME.
    Host(String),
}

impl FromStr for AllowRule {
    type Err = String;

    /// `10.0.0.0/8`, `192.0.2.7`, `fd00::/8` or `host:nas.example`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("host:") {
            Some("") => Err("host: must be followed by a name, as in host:nas.example".into()),
            Some(name) => Ok(Self::Host(name.trim_end_matches('.').to_ascii_lowercase())),
            None => text.parse().map(Self::Net),
        }
    }
}

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    pub const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    pub const fn v6(address: Ipv6Addr, bits: u8) -> Self {
        Self { address: IpAddr::V6(address), bits }
    }

    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                (u32::from(net) ^ u32::from(ip)).checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                (u128::from(net) ^ u128::from(ip)).checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    fn is_exactly(&self, ip: IpAddr) -> bool {
        let all = if self.address.is_ipv4() { 32 } else { 128 };
        self.bits == all && self.address == ip
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not an address or a network; write 10.0.0.7, 10.0.0.0/8 or fd00::/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => all,
            Some(bits) => bits.parse::<u8>().ok().filter(|bits| *bits <= all).ok_or_else(refused)?,
        };
        Ok(Self { address, bits })
    }
}

/// What nobody reaches without the operator's exact address: credentials of the machine lie there.
const METADATA: [Cidr; 8] = [
    // AWS, GCP, Azure, DigitalOcean, OpenStack, ECS and EKS credentials, Tencent, Scaleway: link-local as a whole.
    Cidr::v4(169, 254, 0, 0, 16),
    // Azure's wire server, Alibaba's metadata, Oracle's legacy metadata.
    Cidr::v4(168, 63, 129, 16, 32),
    Cidr::v4(100, 100, 100, 200, 32),
    Cidr::v4(192, 0, 0, 192, 32),
    // AWS, GCP, OpenStack, Scaleway over IPv6.
    Cidr::v6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    Cidr::v6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0), 32),
    Cidr::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe), 128),
    Cidr::v6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128),
];

/// IPv4 that is not the public internet (IANA special-purpose registry, RFC 6890 and its successors).
const SPECIAL_V4: [Cidr; 16] = [
    Cidr::v4(0, 0, 0, 0, 8),
    Cidr::v4(10, 0, 0, 0, 8),
    Cidr::v4(100, 64, 0, 0, 10),
    Cidr::v4(127, 0, 0, 0, 8),
    Cidr::v4(169, 254, 0, 0, 16),
    Cidr::v4(172, 16, 0, 0, 12),
    Cidr::v4(192, 0, 0, 0, 24),
    Cidr::v4(192, 0, 2, 0, 24),
    Cidr::v4(192, 88, 99, 0, 24),
    Cidr::v4(192, 168, 0, 0, 16),
    Cidr::v4(198, 18, 0, 0, 15),
    Cidr::v4(198, 51, 100, 0, 24),
    Cidr::v4(203, 0, 113, 0, 24),
    Cidr::v4(224, 0, 0, 0, 4),
    Cidr::v4(240, 0, 0, 0, 4),
    Cidr::v4(168, 63, 129, 16, 32),
];

/// Global unicast; what lies outside is refused without looking further.
const GLOBAL_V6: Cidr = Cidr::v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Inside global unicast, and still not the public internet: protocol assignments with Teredo, benchmarking and
/// ORCHID; documentation; 6to4.
const SPECIAL_V6: [Cidr; 4] = [
    Cidr::v6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Cidr::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Cidr::v6(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Cidr::v6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Names that mean something only inside some network. RFC 6761, 6762, 8375, 9476; ICANN's reserved `.internal`.
const INNER_SUFFIXES: [&str; 13] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "svc",
    "cluster.local",
    "lan",
    "home",
    "home.arpa",
    "corp",
    "intranet",
    "private",
    "alt",
];

/// Judges addresses and names. Made once; asked on every dial.
#[derive(Debug, Clone)]
pub struct Guard {
    egress: Egress,
    allow: Vec<AllowRule>,
    own: Vec<SocketAddr>,
    /// Where it is said, nothing else is open.
    only: Option<Vec<SocketAddr>>,
}

impl Guard {
    pub fn new(egress: Egress, allow: Vec<AllowRule>, own: Vec<SocketAddr>) -> Self {
        Self { egress, allow, own, only: None }
    }

    /// Opens exactly these addresses with these ports, and no other: for what is ours, and asked by ourselves.
    pub(crate) fn only(addresses: Vec<SocketAddr>) -> Self {
        Self { only: Some(addresses), ..Self::new(Egress::Public, Vec::new(), Vec::new()) }
    }

    /// Judges the name a URL asks for, or one that a CNAME led to. `host` is lower case, as a URL has it.
    pub fn judge_name(&self, host: &str) -> Result<(), Cause> {
        let host = host.trim_end_matches('.');
        if self.egress == Egress::Open || self.allows_host(host) {
            return Ok(());
        }
        let inner = INNER_SUFFIXES
            .iter()
            .any(|suffix| host.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.')));
        if inner || !host.contains('.') {
            return Err(denied(format!("{host} is a name of a private network, which is not checked from here")));
        }
        Ok(())
    }

    /// Judges one address for `host`, the name that was asked for. Answers with the address to dial: an IPv4-mapped
    /// one is unwrapped first.
    pub fn judge(&self, host: &str, at: SocketAddr) -> Result<SocketAddr, Cause> {
        let ip = at.ip().to_canonical();
        let at = SocketAddr::new(ip, at.port());
        if let Some(only) = &self.only {
            let open = only.contains(&at);
            return open.then_some(at).ok_or_else(|| denied(format!("{at} is not what this Gazer asks itself")));
        }
        let exact = self.allow.iter().any(|rule| matches!(rule, AllowRule::Net(net) if net.is_exactly(ip)));
        if exact {
            return Ok(at);
        }
        if is_metadata(ip) {
            return Err(denied(format!("{ip} belongs to the cloud's metadata services, which are never checked")));
        }
        if self.own.iter().any(|own| is_own(*own, at)) {
            return Err(denied(format!("{at} is an address of this Gazer itself")));
        }
        let listed = self.allow.iter().any(|rule| matches!(rule, AllowRule::Net(net) if net.contains(ip)));
        if self.egress == Egress::Open || listed || is_public(ip) || self.allows_host(host) {
            return Ok(at);
        }
        Err(denied(format!("{ip} is not an address of the public internet, and only those are checked from here")))
    }

    /// Whether `local`, the near end of a connection to `at`, shows that a wildcard listener of ours answered.
    pub(crate) fn is_ourselves(&self, local: IpAddr, at: SocketAddr) -> bool {
        local.to_canonical() == at.ip()
            && self.own.iter().any(|own| own.ip().is_unspecified() && own.port() == at.port())
            && !self.allow.iter().any(|rule| matches!(rule, AllowRule::Net(net) if net.is_exactly(at.ip())))
    }

    /// True where [`Self::is_ourselves`] is worth its system call.
    pub(crate) fn may_be_ourselves(&self, at: SocketAddr) -> bool {
        self.own.iter().any(|own| own.ip().is_unspecified() && own.port() == at.port())
    }

    fn allows_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.allow.iter().any(|rule| matches!(rule, AllowRule::Host(name) if name.eq_ignore_ascii_case(host)))
    }
}

/// Plainly the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|net| net.contains(ip.to_canonical())),
        IpAddr::V6(_) => GLOBAL_V6.contains(ip) && !SPECIAL_V6.iter().any(|net| net.contains(ip)),
    }
}

fn is_metadata(ip: IpAddr) -> bool {
    let listed = |ip: IpAddr| METADATA.iter().any(|net| net.contains(ip));
    listed(ip) || embedded(ip).is_some_and(|inner| listed(inner.into()))
}

/// The IPv4 address that a translator or a tunnel would reach: NAT64, SIIT, 6to4, Teredo, IPv4-compatible.
fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let part = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => part(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => part(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => part(high, low),
        [0x2002, high, low, ..] => part(high, low),
        [0x2001, 0, .., high, low] => part(!high, !low),
        _ => None,
    }
}

/// A wildcard listener answers on loopback and on 0.0.0.0 as well.
fn is_own(own: SocketAddr, at: SocketAddr) -> bool {
    let here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    let (ours, theirs) = (own.ip().to_canonical(), at.ip());
    let same = ours == theirs || (here(theirs) && ours.is_unspecified()) || (theirs.is_unspecified() && here(ours));
    own.port() == at.port() && same
}

fn denied(text: String) -> Cause {
    Cause::new(Code::EgressDenied, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(egress: Egress, allow: &[&str], own: &[&str], at: &str) -> bool {
        let allow = allow.iter().map(|rule| rule.parse().unwrap()).collect();
        let own = own.iter().map(|own| own.parse().unwrap()).collect();
        Guard::new(egress, allow, own).judge("asked.example", at.parse().unwrap()).is_ok()
    }

    #[test]
    fn open_egress_reaches_private_networks_but_neither_metadata_nor_ourselves() {
        for at in ["10.0.0.1:80", "127.0.0.1:80", "[::1]:80", "[fd12::1]:80", "8.8.8.8:80"] {
            assert!(judge(Egress::Open, &[], &["0.0.0.0:8080"], at), "{at}");
        }
        for at in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[2002:a9fe:a9fe::1]:80",
            "[fd00:ec2::254]:80",
            "127.0.0.1:8080",
            "0.0.0.0:8080",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:8080",
        ] {
            assert!(!judge(Egress::Open, &[], &["0.0.0.0:8080"], at), "{at}");
        }
    }

    #[test]
    fn only_the_exact_address_opens_what_is_always_closed() {
        let own = ["127.0.0.1:5432"];
        assert!(!judge(Egress::Open, &["127.0.0.0/8"], &own, "127.0.0.1:5432"));
        assert!(judge(Egress::Open, &["127.0.0.1/32"], &own, "127.0.0.1:5432"));
        assert!(!judge(Egress::Open, &[], &own, "0.0.0.0:5432"));
        assert!(judge(Egress::Public, &["169.254.169.254"], &[], "169.254.169.254:80"));
    }

    #[test]
    fn what_asks_ourselves_reaches_nothing_else() {
        let guard = Guard::only(vec!["127.0.0.1:4711".parse().unwrap()]);
        assert!(guard.judge("", "127.0.0.1:4711".parse().unwrap()).is_ok());
        for at in ["127.0.0.1:4712", "127.0.0.2:4711", "[::1]:4711", "8.8.8.8:4711"] {
            assert!(guard.judge("", at.parse().unwrap()).is_err(), "{at}");
        }
    }

    #[test]
    fn a_rule_that_cannot_be_read_says_what_would_be_right() {
        for wrong in ["10.0.0.0/33", "ten", "host:", "10.0.0.0/x", "::/129"] {
            assert!(wrong.parse::<AllowRule>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().contains("1.2.3.4".parse().unwrap()));
    }
}
