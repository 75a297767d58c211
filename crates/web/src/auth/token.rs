//! API tokens: `gzr_` and 256 random bits. They are shown once, when they are made.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Lets people and secret scanners recognise one.
const PREFIX: &str = "gzr_";

/// A new secret, and what the store keeps of it.
#[derive(Clone)]
pub struct Minted {
    pub secret: String,
    pub hash: [u8; 32],
}

impl Minted {
    pub fn api_token(random: [u8; 32]) -> Self {
        Self::of(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    pub(crate) fn session(random: [u8; 32]) -> Self {
        Self::of(URL_SAFE_NO_PAD.encode(random))
    }

    fn of(secret: String) -> Self {
        Self { hash: super::hash(&secret), secret }
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minted(…)")
    }
}

/// The hash to look for, if the header holds a token of ours.
pub(crate) fn read(authorization: &str) -> Option<[u8; 32]> {
    let (scheme, secret) = authorization.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && secret.starts_with(PREFIX)).then(|| super::hash(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_what_is_sent_and_kept_only_as_its_hash() {
        let minted = Minted::api_token([9; 32]);
        assert_eq!(minted.secret.len(), 4 + 43);
        assert_eq!(read(&format!("Bearer {}", minted.secret)), Some(minted.hash));
        assert_eq!(read(&format!("bearer  {}", minted.secret)), Some(minted.hash));
        assert_eq!(read(&format!("Basic {}", minted.secret)), None);
        assert_eq!(read("Bearer other"), None);
        assert_eq!(format!("{minted:?}"), "Minted(…)");
    }
}
