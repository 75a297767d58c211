//! The wall clock, for stamping what arrived.

use gazer_domain::Timestamp;

/// Receivers stamp what they get with the real present: what they record is compared with another process's clock.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a receiver's stamp is compared with the clock of a real process")]
    let since_epoch =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the clock is after 1970");
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).expect("the year is before 292 million"))
}
