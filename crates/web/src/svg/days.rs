//! One bar per day: the worst that happened on it.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::period::{Period, Status};
use gazer_domain::uptime::{Uptime, percent};
use maud::{Markup, html};

use crate::ui::words::utc;

const DAY: i64 = 86_400_000;
pub(crate) const DAYS: i64 = 90;

/// The last 90 days in UTC, today last.
pub(crate) fn days(periods: &[Period], now: Timestamp) -> Markup {
    let today = now.millis().div_euclid(DAY);
    let bars = (0..DAYS).map(|i| (i, Timestamp::from_millis((today - DAYS + 1 + i) * DAY)));
    html! {
        div {
            svg.days viewBox={ "0 0 " (DAYS * 10) " 36" } preserveAspectRatio="none" role="img"
                aria-label="The last 90 days, one bar per day, coloured by the worst that happened" {
                @for (i, from) in bars {
                    @let until = (from + Duration::from_millis(DAY as u64)).min(now);
                    @let (worst, told) = day(periods, from, until);
                    rect.(worst.map_or("none", Status::as_str)) x=(i * 10) y=(top(worst)) width="7" height=(36 - top(worst)) {
                        title { (utc(from, "%-d %b %Y")) ": " (told) }
                    }
                }
            }
            div.ends { span { "90 days ago" } span { "Today" } }
        }
    }
}

/// Trouble stands taller, so that it is seen without colour.
fn top(worst: Option<Status>) -> i64 {
    match worst {
        Some(Status::Down) => 0,
        Some(Status::Regional) => 3,
        Some(Status::Slow) => 6,
        Some(Status::Up) => 12,
        Some(Status::Unknown | Status::Paused) => 20,
        None => 30,
    }
}

fn day(periods: &[Period], from: Timestamp, until: Timestamp) -> (Option<Status>, String) {
    let within = |p: &&Period| p.started < until && p.ended.is_none_or(|ended| ended > from);
    let order = [Status::Down, Status::Regional, Status::Slow, Status::Up, Status::Unknown, Status::Paused];
    let statuses: Vec<Status> = periods.iter().filter(within).map(|p| p.status).collect();
    let worst = order.into_iter().find(|status| statuses.contains(status));
    let told = match (worst, Uptime::of(periods, from, until).ratio()) {
        (None, _) => "not watched yet".to_owned(),
        (Some(_), Some(ratio)) => format!("{} up", percent(ratio)),
        (Some(Status::Paused), None) => "paused".to_owned(),
        (Some(_), None) => "unknown".to_owned(),
    };
    (worst, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_bad_as_its_worst_hour() {
        let at = Timestamp::from_millis;
        let periods = [
            Period { status: Status::Up, started: at(0), ended: Some(at(DAY / 2)) },
            Period { status: Status::Down, started: at(DAY / 2), ended: Some(at(DAY)) },
            Period { status: Status::Up, started: at(DAY), ended: None },
        ];
        assert_eq!(day(&periods, at(0), at(DAY)), (Some(Status::Down), "50.000 % up".into()));
        assert_eq!(day(&periods, at(DAY), at(2 * DAY)), (Some(Status::Up), "100 % up".into()));
        assert_eq!(day(&[], at(0), at(DAY)).0, None);
    }
}
