//! What the product draws from while it is simulated: a plain function as in production, with a seed.

use std::cell::RefCell;

use gazer_testkit::chance::Chance;

thread_local! {
    static PRODUCT: RefCell<Chance> = RefCell::new(Chance::new(0, 0));
}

pub(crate) fn fill(bytes: &mut [u8]) {
    PRODUCT.with_borrow_mut(|chance| chance.fill(bytes));
}

pub(crate) fn seed_product(seed: u64) {
    PRODUCT.set(Chance::new(seed, 1));
}
