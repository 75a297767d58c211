//! Randomness: libraries are given it, and this is what they are given.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// # Panics
/// If the kernel gives no randomness: nothing that is secret could be made then.
pub(crate) fn fill(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the kernel gives randomness");
}

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// 192 random bits as 32 characters that survive a double click and a URL.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<24>())
}
