//! Seeded randomness (SplitMix64), one stream per purpose, so that a new question does not change every old answer.

use std::cell::RefCell;

#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// In `[low, high)`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }
}

thread_local! {
    static PRODUCT: RefCell<Chance> = RefCell::new(Chance::new(0, 0));
}

/// What the product draws from, a plain function as in production.
pub(crate) fn fill(bytes: &mut [u8]) {
    PRODUCT.with_borrow_mut(|chance| {
        for chunk in bytes.chunks_mut(8) {
            let drawn = chance.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    });
}

pub(crate) fn seed_product(seed: u64) {
    PRODUCT.set(Chance::new(seed, 1));
}
