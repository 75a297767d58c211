//! What a monitor promises: an outage longer than this is always noticed.
//!
//! An outage begins after the last good answer. The next check starts within one interval of it, at most [`LATENESS`]
//! late; from then on the outage must outlast every attempt that is made before Gazer believes it, each of which may take
//! the whole timeout:
//!
//! `interval + (1 + attempts) · timeout + attempts · gap + lateness`
//!
//! Several regions change nothing of that: they check at the same slots, so whatever the quorum, the reports that it
//! takes are of one slot, and each comes within the longest check. While one of them is silent, its last word counts
//! until the audit finds that it is overdue, which [`while_silent`] adds.

use std::time::Duration;

use crate::monitor::Settings;

/// A check that starts later than this after its slot did not keep the guarantee, and is shown as late.
pub const LATENESS: Duration = Duration::from_secs(1);

/// Beyond its longest check, a monitor is given this long before the audit looks: our own queues move meanwhile.
pub const GRACE: Duration = Duration::from_secs(5);

/// How often the audit looks.
pub const AUDIT: Duration = Duration::from_secs(5);

pub fn guarantee(settings: &Settings) -> Duration {
    settings.interval + longest_check(settings) + LATENESS
}

/// What is promised while one of `regions` does not report; `None` where nobody waits for another's report.
pub fn while_silent(settings: &Settings, regions: usize) -> Option<Duration> {
    let waits = regions > 1 && settings.quorum.needed(regions) > 1;
    waits.then(|| guarantee(settings) + GRACE + AUDIT)
}

/// The longest that one check can take, with all its attempts.
pub fn longest_check(settings: &Settings) -> Duration {
    settings.verify.longest(settings.spec.timeout())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quorum;
    use crate::http::{HttpSpec, parse_url};
    use crate::monitor::{Spec, Verify};

    #[test]
    fn a_silent_region_is_waited_for_only_where_its_vote_is_needed() {
        let mut settings = Settings {
            name: "Shop".into(),
            spec: Spec::Http(HttpSpec::get(parse_url("https://shop.example/").unwrap())),
            interval: Duration::from_secs(60),
            verify: Verify::default(),
            recover_after: 1,
            regions: Vec::new(),
            quorum: Quorum::Majority,
        };
        // Three attempts of ten seconds, two gaps of one, and one for lateness.
        assert_eq!(guarantee(&settings), Duration::from_secs(60 + 32 + 1));
        assert_eq!(while_silent(&settings, 1), None);
        assert_eq!(while_silent(&settings, 2), Some(Duration::from_secs(60 + 32 + 1 + 10)));
        settings.quorum = Quorum::Any;
        assert_eq!(while_silent(&settings, 3), None, "the first report suffices");
    }
}
