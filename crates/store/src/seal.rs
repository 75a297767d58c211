//! Secrets at rest.

use std::fmt;
use std::io;
use std::path::Path;

/// The key that secrets are sealed with. `Debug` shows nothing.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key, or makes one that only its owner can read (mode 0600).
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        todo!()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}
