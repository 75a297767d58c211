//! Who is asking, and may they.
//!
//! A person signs in with e-mail and password and carries a session cookie from then on; a program carries an API token.
//! Both are random 256-bit secrets that the store knows only by their SHA-256, so a stolen database opens no door. A
//! password is kept as argon2id, worked out by at most two at once, and only so many wrong ones are listened to.
//!
//! Pages look at the cookie alone and the API at the `Authorization` header alone: a cookie that a browser sends by
//! itself changes nothing through the API, and a token gives no session.

use aws_lc_rs::digest;

pub mod address;
pub mod limit;
pub mod member;
pub mod password;
pub mod session;
pub mod token;
pub mod turns;

pub use address::Address;
pub use member::{Admin, Member, Operator, Owner, Realm};
pub use session::Pass;

/// Name of the setting that holds the set-up token, for as long as there is no owner.
pub const SETUP_TOKEN: &str = "setup_token";

/// What guards the ways in, shared by all requests of a process.
#[derive(Debug, Default)]
pub struct Doors {
    pub(crate) mill: password::Mill,
    pub(crate) by_email: limit::Limit<5>,
    pub(crate) by_address: limit::Limit<30>,
    pub(crate) turns: turns::Turns,
}

/// What the store keeps of a secret. It has 256 random bits, so one fast hash is enough.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    hash
}

/// Compares secrets in a time that does not depend on where they differ.
pub fn same_secret(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(&hash(a), &hash(b)).is_ok()
}
