//! How much of a window a monitor was watched at all: before it was made and while it was paused it was not, and a
//! figure for 30 days that rests on three hours should say so.

use std::time::Duration;

use gazer_domain::uptime::Uptime;

use super::words::{coarse, whole};

/// A monitor is not blamed for the minute that a pause or a page takes.
const SLACK: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn watched(uptime: &Uptime) -> Duration {
    uptime.up + uptime.down + uptime.unknown
}

/// `watched for 3 h 20 min`; nothing where the whole window was watched.
pub(crate) fn only(uptime: &Uptime, window: Duration) -> Option<String> {
    let watched = watched(uptime);
    if watched + SLACK >= window {
        return None;
    }
    Some(if watched < SECOND { "not watched".into() } else { format!("watched for {}", whole(watched)) })
}

/// The same in a row of a table, beside a figure: `of 3 h`.
pub(crate) fn rest(uptime: &Uptime, window: Duration) -> Option<String> {
    let watched = watched(uptime);
    (watched + SLACK < window).then(|| format!("of {}", coarse(watched)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_monitor_was_watched_for_less_than_the_window() {
        let hours = |up: u64, down: u64, unknown: u64| {
            let [up, down, unknown] = [up, down, unknown].map(|hours| Duration::from_secs(3_600 * hours));
            Uptime { up, down, unknown }
        };
        let day = Duration::from_secs(86_400);
        assert_eq!(only(&hours(2, 1, 0), day).as_deref(), Some("watched for 3 h"));
        assert_eq!(rest(&hours(2, 1, 0), day).as_deref(), Some("of 3 h"));
        assert_eq!(only(&hours(0, 0, 0), day).as_deref(), Some("not watched"));
        assert_eq!(only(&hours(22, 1, 1), day), None);
        assert_eq!(only(&hours(24, 0, 0), day + Duration::from_secs(59)), None);
    }
}
