//! What a monitor promises: an outage longer than this is always noticed.
//!
//! An outage begins after the last good answer. The next check starts within one interval of it, at most [`LATENESS`]
//! late; from then on the outage must outlast every attempt that is made before Gazer believes it, each of which may
//! take the whole timeout:
//!
//! `interval + (1 + attempts) · timeout + attempts · gap + LATENESS`

use std::time::Duration;

use crate::monitor::Settings;

/// A check that starts later than this after its slot did not keep the guarantee, and is shown as late.
pub const LATENESS: Duration = Duration::from_secs(1);

pub fn guarantee(settings: &Settings) -> Duration {
    settings.interval + longest_check(settings) + LATENESS
}

/// The longest that one check can take, with all its attempts.
pub fn longest_check(settings: &Settings) -> Duration {
    let again = u32::from(settings.verify.attempts);
    settings.spec.timeout() * (1 + again) + settings.verify.gap * again
}
