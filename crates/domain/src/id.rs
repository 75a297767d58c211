//! Typed, prefixed public ids: `mon_01jd…` names a monitor and nothing else.
//!
//! The body is a UUID version 7 (RFC 9562 §5.7) in Crockford's base 32, so ids sort by their time of birth.
//! Ids are names, never secrets.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use crate::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in groups of five.
const BODY: usize = 26;

/// What an id can name.
pub trait Kind {
    const PREFIX: &'static str;
}

/// A public id of one kind; ids of different kinds do not mix.
pub struct Id<K>(u128, PhantomData<fn() -> K>);

#[derive(Debug)]
pub enum Monitors {}
#[derive(Debug)]
pub enum Incidents {}
#[derive(Debug)]
pub enum Channels {}
#[derive(Debug)]
pub enum Rules {}
#[derive(Debug)]
pub enum Teams {}
#[derive(Debug)]
pub enum Users {}
#[derive(Debug)]
pub enum Tokens {}
#[derive(Debug)]
pub enum Issues {}

pub type MonitorId = Id<Monitors>;
pub type IncidentId = Id<Incidents>;
pub type ChannelId = Id<Channels>;
pub type RuleId = Id<Rules>;
pub type TeamId = Id<Teams>;
pub type UserId = Id<Users>;
pub type TokenId = Id<Tokens>;
pub type IssueId = Id<Issues>;

impl Kind for Monitors {
    const PREFIX: &'static str = "mon";
}
impl Kind for Incidents {
    const PREFIX: &'static str = "inc";
}
impl Kind for Channels {
    const PREFIX: &'static str = "chn";
}
impl Kind for Rules {
    const PREFIX: &'static str = "rul";
}
impl Kind for Teams {
    const PREFIX: &'static str = "team";
}
impl Kind for Users {
    const PREFIX: &'static str = "usr";
}
impl Kind for Tokens {
    const PREFIX: &'static str = "tok";
}
impl Kind for Issues {
    const PREFIX: &'static str = "iss";
}

impl<K> Id<K> {
    /// A new id from the present and 80 random bits, both given by the caller.
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self(uuid.as_u128(), PhantomData)
    }

    pub const fn from_bits(bits: u128) -> Self {
        Self(bits, PhantomData)
    }

    pub const fn bits(self) -> u128 {
        self.0
    }

    /// A number spread evenly over all ids, for phases and shards. It never changes for an id.
    pub fn spread(self) -> u64 {
        // The finaliser of SplitMix64 over both halves: cheap, well mixed, and stable across releases.
        let mut x = (self.0 >> 64) as u64 ^ (self.0 as u64).rotate_left(32);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn body(self) -> String {
        (0..BODY).rev().map(|i| char::from(ALPHABET[(self.0 >> (5 * i)) as usize & 31])).collect()
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.body())
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_…")]
pub struct NotAnId {
    pub prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let refused = NotAnId { prefix: K::PREFIX };
        let body = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_'));
        let Some(body) = body.filter(|body| body.len() == BODY) else { return Err(refused) };
        let mut bits: u128 = 0;
        for byte in body.bytes() {
            let Some(digit) = ALPHABET.iter().position(|&a| a == byte) else { return Err(refused) };
            let Some(shifted) = bits.checked_mul(32) else { return Err(refused) };
            bits = shifted | digit as u128;
        }
        Ok(Self(bits, PhantomData))
    }
}

/// Names one message to one channel: it derives from the incident, the number of the event and the channel, so a
/// retry, a duplicate and a restart all carry the same one. It is the `webhook-id` and the `Message-ID`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(String);

impl DeliveryId {
    pub fn of(incident: IncidentId, event: u32, channel: ChannelId) -> Self {
        Self(format!("dlv_{}_{event}_{}", incident.body(), channel.body()))
    }

    /// A test message belongs to no incident; the caller gives the randomness that makes it one of a kind.
    pub fn test(at: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("dlv_test_{}", MonitorId::new(at, random).body()))
    }

    /// Reads an id back from where it was written.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_its_kind_and_reads_back_as_that_kind_only() {
        let id = MonitorId::new(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        let text = id.to_string();
        assert!(text.starts_with("mon_0"), "{text}");
        assert_eq!(text.parse::<MonitorId>(), Ok(id));
        assert_eq!(text.parse::<IncidentId>(), Err(NotAnId { prefix: "inc" }));
    }

    #[test]
    fn ids_sort_by_birth() {
        let early = MonitorId::new(Timestamp::from_millis(1_000), [255; 10]);
        let late = MonitorId::new(Timestamp::from_millis(2_000), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn nothing_else_parses() {
        for text in ["", "mon", "mon_", "mon_01jd", "mon_zzzzzzzzzzzzzzzzzzzzzzzzzz", "mon_0000000000000000000000000I"]
        {
            assert!(text.parse::<MonitorId>().is_err(), "{text}");
        }
    }
}
