//! Secrets at rest: AES-256-GCM, bound to the very cell they lie in.
//!
//! A sealed value is one byte that names the key, a random nonce of 12 bytes, and the ciphertext with its tag. The
//! additional data is `table/column/row`, so a value moved to another row does not open. A random nonce is safe for
//! 2³² seals under one key (NIST SP 800-38D §8.3), far more than people will ever set.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::{digest, rand};

use crate::{Error, Result};

/// The key that secrets are sealed with. `Debug` shows nothing.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key, or makes one that only its owner can read (mode 0600). Whoever else makes it at the same moment
    /// gets the same one.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        match Self::load(path)? {
            Some(key) => Ok(key),
            None => Self::create(path),
        }
    }

    /// Reads the key, if there is one.
    pub fn load(path: &Path) -> io::Result<Option<Self>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err),
        };
        let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "a sealing key has exactly 32 bytes");
        bytes.try_into().map(|bytes| Some(Self(bytes))).map_err(wrong)
    }

    /// A secret for another purpose, from which nobody finds the key (HKDF, RFC 5869).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut secret = [0; 32];
        let info = [purpose.as_bytes()];
        let known = Salt::new(HKDF_SHA256, b"gazer").extract(&self.0);
        let filled = known.expand(&info, HKDF_SHA256).and_then(|material| material.fill(&mut secret));
        filled.expect("a hash's length of material can always be had");
        secret
    }

    /// Writes beside and renames, so a crash never leaves half a key. The file beside is locked meanwhile: who comes
    /// second waits for the lock, and finds the key of the first.
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let fresh = path.with_extension("new");
        let mut options = OpenOptions::new();
        // Not truncated: once renamed, what we opened may be the key itself.
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.lock()?;
        if let Some(key) = Self::load(path)? {
            // Ours if the rename came before we opened it; otherwise it is gone already.
            let _ = std::fs::remove_file(&fresh);
            return Ok(key);
        }
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no randomness"))?;
        file.set_len(0)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// The key made ready.
pub(crate) struct Seal {
    key: LessSafeKey,
    id: u8,
}

/// Which cell a secret lies in.
pub(crate) struct Cell<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) row: &'a str,
}

impl Seal {
    pub(crate) fn new(key: &SealingKey) -> Self {
        let id = digest::digest(&digest::SHA256, &key.0).as_ref()[0];
        let key = UnboundKey::new(&AES_256_GCM, &key.0).expect("a key of 32 bytes");
        Self { key: LessSafeKey::new(key), id }
    }

    pub(crate) fn close(&self, cell: &Cell<'_>, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).expect("the system's generator works after start");
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(cell.aad()), &mut sealed)
            .expect("a secret is far shorter than 64 GiB");
        [&[self.id][..], &nonce, &sealed].concat()
    }

    pub(crate) fn open(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let corrupt = |why: &str| Error::Corrupt {
            table: cell.table.to_owned(),
            column: cell.column,
            row: cell.row.to_owned(),
            why: why.to_owned(),
        };
        let Some((id, rest)) = sealed.split_first() else { return Err(corrupt("it is empty")) };
        if *id != self.id {
            return Err(corrupt("it was sealed with another key"));
        }
        let Some((nonce, text)) = rest.split_first_chunk::<NONCE_LEN>() else { return Err(corrupt("it is cut off")) };
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        match self.key.open_in_place(nonce, Aad::from(cell.aad()), &mut text) {
            Ok(secret) => Ok(secret.to_vec()),
            Err(_) => Err(corrupt("its seal is broken")),
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Cell<'_> {
    fn aad(&self) -> String {
        format!("{}/{}/{}", self.table, self.column, self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell<'a>(row: &'a str) -> Cell<'a> {
        Cell { table: "monitors", column: "secret", row }
    }

    #[test]
    fn a_secret_opens_only_in_its_own_cell_with_its_own_key() {
        let seal = Seal::new(&SealingKey::from_bytes([7; 32]));
        let sealed = seal.close(&cell("mon_1"), b"hush");
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        assert_eq!(seal.open(&cell("mon_1"), &sealed).unwrap(), b"hush");
        assert!(seal.open(&cell("mon_2"), &sealed).is_err());
        assert!(Seal::new(&SealingKey::from_bytes([8; 32])).open(&cell("mon_1"), &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(seal.open(&cell("mon_1"), &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let path = std::env::temp_dir().join(format!("gazer-key-{}", std::process::id())).join("gazer.key");
        let made = SealingKey::load_or_create(&path).unwrap();
        assert_eq!(SealingKey::load_or_create(&path).unwrap().0, made.0);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn those_who_make_the_key_at_the_same_moment_get_the_same_one() {
        let folder = std::env::temp_dir().join(format!("gazer-keys-{}", std::process::id()));
        for round in 0..20 {
            let path = folder.join(round.to_string()).join("gazer.key");
            let make = || SealingKey::load_or_create(&path).unwrap().0;
            let keys: Vec<_> = std::thread::scope(|scope| {
                let makers: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).collect()
            });
            assert_eq!(keys, [SealingKey::load(&path).unwrap().unwrap().0; 8]);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
