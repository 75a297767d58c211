//! What is secret in a message, sealed to whom the message is for (HPKE, RFC 9180, with X25519, HKDF-SHA256 and
//! AES-256-GCM).
//!
//! Every recipient has a key pair of its own, and all of them derive from one secret that the house keeps. So whoever
//! has the house's secret seals to everybody and opens what is sealed to anybody; a prober far away has the private key
//! of its region and opens what is for its region. There is nothing to store, and no two houses have the same keys.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gazer_domain::Region;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as HPKE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};

use crate::lock;

/// Of X25519, and so of an encapsulated secret.
const KEY_BYTES: usize = 32;

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// Whoever probes there.
    Region(Region),
    /// Whoever sends messages.
    Senders,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => write!(f, "region {region}"),
            Self::Senders => f.write_str("senders"),
        }
    }
}

/// A region's private key, with the region's name before it. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct RegionKey {
    pub region: Region,
    key: [u8; KEY_BYTES],
}

impl RegionKey {
    /// As it is kept in a file. Whoever has it reads what that region's checks send.
    pub fn secret_text(&self) -> String {
        format!("{}:{}", self.region, BASE64_STANDARD.encode(self.key))
    }
}

impl fmt::Debug for RegionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionKey({}:…)", self.region)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("must be a region's name, a colon, and 32 bytes in base64, as `gazer region key` prints them")]
pub struct NoRegionKey;

impl FromStr for RegionKey {
    type Err = NoRegionKey;

    fn from_str(text: &str) -> Result<Self, NoRegionKey> {
        let (region, key) = text.trim().split_once(':').ok_or(NoRegionKey)?;
        let key = BASE64_STANDARD.decode(key).ok().and_then(|key| key.try_into().ok()).ok_or(NoRegionKey)?;
        Ok(Self { region: region.parse().map_err(|_| NoRegionKey)?, key })
    }
}

/// Seals, and opens what is for us.
pub struct Seals {
    keys: Keys,
    /// Public keys that were asked for before.
    public: Mutex<HashMap<Recipient, HpkePublicKey>>,
}

enum Keys {
    House([u8; KEY_BYTES]),
    Region(RegionKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    #[error("there is no key for it here")]
    NoKey,
    #[error("it was not sealed for this, or with other keys")]
    Other,
}

impl Seals {
    /// Of a process that belongs to the house.
    pub fn house(secret: [u8; KEY_BYTES]) -> Self {
        Self { keys: Keys::House(secret), public: Mutex::default() }
    }

    /// Of a prober that only has its region's key.
    pub fn region(key: RegionKey) -> Self {
        Self { keys: Keys::Region(key), public: Mutex::default() }
    }

    /// What a prober of that region is given; `None` if this is no process of the house.
    pub fn region_key(&self, region: &Region) -> Option<RegionKey> {
        let key = self.private(&Recipient::Region(region.clone())).ok()?;
        Some(RegionKey { region: region.clone(), key })
    }

    /// Seals `secret` so that it opens for `to` and with the same `context` only.
    pub fn seal(&self, to: &Recipient, context: &str, secret: &[u8]) -> Result<String, Unsealed> {
        let public = self.public(to)?;
        let sealed = HPKE.seal(to.to_string().as_bytes(), context.as_bytes(), secret, &public);
        let (mut bytes, sealed) = sealed.map(|(enc, sealed)| (enc.0, sealed)).map_err(|_| Unsealed::Other)?;
        bytes.extend(sealed);
        Ok(BASE64_STANDARD.encode(bytes))
    }

    pub fn open(&self, to: &Recipient, context: &str, sealed: &str) -> Result<Vec<u8>, Unsealed> {
        let private = HpkePrivateKey::from(self.private(to)?.to_vec());
        let bytes = BASE64_STANDARD.decode(sealed).map_err(|_| Unsealed::Other)?;
        let (enc, sealed) = bytes.split_at_checked(KEY_BYTES).ok_or(Unsealed::Other)?;
        let enc = EncapsulatedSecret(enc.to_vec());
        let opened = HPKE.open(&enc, to.to_string().as_bytes(), context.as_bytes(), sealed, &private);
        opened.map_err(|_| Unsealed::Other)
    }

    fn private(&self, of: &Recipient) -> Result<[u8; KEY_BYTES], Unsealed> {
        match &self.keys {
            Keys::House(secret) => Ok(derived(secret, &of.to_string())),
            Keys::Region(key) if *of == Recipient::Region(key.region.clone()) => Ok(key.key),
            Keys::Region(_) => Err(Unsealed::NoKey),
        }
    }

    fn public(&self, of: &Recipient) -> Result<HpkePublicKey, Unsealed> {
        let mut known = lock(&self.public);
        if let Some(public) = known.get(of) {
            return Ok(public.clone());
        }
        let private = PrivateKey::from_private_key(&X25519, &self.private(of)?).map_err(|_| Unsealed::NoKey)?;
        let public = private.compute_public_key().map_err(|_| Unsealed::NoKey)?;
        let public = HpkePublicKey(public.as_ref().to_vec());
        known.insert(of.clone(), public.clone());
        Ok(public)
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").finish_non_exhaustive()
    }
}

fn derived(secret: &[u8; KEY_BYTES], whose: &str) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let info = [whose.as_bytes()];
    let known = Salt::new(HKDF_SHA256, b"gazer bus v1").extract(secret);
    let filled = known.expand(&info, HKDF_SHA256).and_then(|material| material.fill(&mut key));
    filled.expect("a hash's length of material can always be had");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Recipient {
        Recipient::Region(name.parse().unwrap())
    }

    #[test]
    fn a_region_opens_what_is_for_it_and_nothing_else() {
        let house = Seals::house([7; 32]);
        let key = house.region_key(&"eu".parse().unwrap()).unwrap();
        let prober = Seals::region(key.secret_text().parse().unwrap());
        let sealed = house.seal(&region("eu"), "gazer.check.v1.eu", b"password").unwrap();
        assert_eq!(prober.open(&region("eu"), "gazer.check.v1.eu", &sealed).unwrap(), b"password");
        assert_eq!(prober.open(&region("eu"), "gazer.check.v1.us", &sealed), Err(Unsealed::Other), "another context");
        let foreign = house.seal(&region("us"), "gazer.check.v1.us", b"password").unwrap();
        assert_eq!(prober.open(&region("us"), "gazer.check.v1.us", &foreign), Err(Unsealed::NoKey));
        assert_eq!(prober.open(&region("eu"), "gazer.check.v1.us", &foreign), Err(Unsealed::Other));
        assert!(prober.region_key(&"us".parse().unwrap()).is_none());
        assert_eq!(prober.seal(&Recipient::Senders, "", b""), Err(Unsealed::NoKey));
    }

    #[test]
    fn the_house_opens_what_it_sealed_and_another_house_does_not() {
        let sealed = Seals::house([7; 32]).seal(&Recipient::Senders, "gazer.send.v1", b"secret").unwrap();
        assert_eq!(Seals::house([7; 32]).open(&Recipient::Senders, "gazer.send.v1", &sealed).unwrap(), b"secret");
        assert_eq!(Seals::house([8; 32]).open(&Recipient::Senders, "gazer.send.v1", &sealed), Err(Unsealed::Other));
        for broken in ["", "AAAA", "no base64!", &sealed[..sealed.len() - 4]] {
            assert!(Seals::house([7; 32]).open(&Recipient::Senders, "gazer.send.v1", broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown_by_accident() {
        let key = Seals::house([7; 32]).region_key(&"eu".parse().unwrap()).unwrap();
        assert_eq!(format!("{key:?}"), "RegionKey(eu:…)");
        for text in ["", "eu", "eu:", "eu:AAAA", "EU:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            assert!(text.parse::<RegionKey>().is_err(), "{text:?}");
        }
    }
}
