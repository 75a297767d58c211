//! A monitor in its regions: how it is in each, and whose checks the page shows. Nothing of it where there is one.

use gazer_domain::period::Status;
use gazer_domain::{Quorum, Timestamp};
use gazer_store::RegionHealth;
use maud::{Markup, html};

use super::monitor::{Sight, address};
use super::monitors;
use crate::ui::{status, words};

pub(super) fn table(sight: &Sight, now: Timestamp) -> Markup {
    html! {
        table.cards {
            caption.hush { "How it is in each region" }
            thead { tr { th { "Region" } th { "Status" } th { "Since" } th.num { "Last check" } } }
            tbody { @for health in &sight.view.regions { (row(health, now)) } }
        }
        p.small.soft { "It is down if " (quorum(sight.view.monitor.settings.quorum)) ". A region that does not report has no vote." }
    }
}

fn row(health: &RegionHealth, now: Timestamp) -> Markup {
    html! {
        tr {
            td { (health.region) }
            td { (status::plain(Status::from(health.status))) }
            td data-label="since" { (words::at(health.since)) }
            td.num data-label="last check" {
                @match &health.last {
                    Some(last) => { (monitors::took(last, &[])) " " span.soft.small { (words::age(last.slot, now)) " ago" } },
                    None => span.soft { "not yet" },
                }
            }
        }
    }
}

/// Whose response times are shown.
pub(super) fn tabs(sight: &Sight) -> Markup {
    let regions = &sight.view.regions;
    html! {
        @if regions.len() > 1 {
            nav.tabs aria-label="Region" {
                @for (i, health) in regions.iter().enumerate() {
                    a href=(address(sight, sight.range, i)) aria-current=[(i == sight.region).then_some("true")] { (health.region) }
                }
            }
        }
    }
}

/// As the end of `It is down if`.
pub(super) fn quorum(quorum: Quorum) -> String {
    match quorum {
        Quorum::Any | Quorum::AtLeast(1) => "any region says so".into(),
        Quorum::Majority => "most regions say so".into(),
        Quorum::All => "all regions say so".into(),
        Quorum::AtLeast(least) => format!("{least} regions say so"),
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::verdict::Verdict;

    use super::*;
    use crate::pages::{monitor, samples};

    #[test]
    fn each_region_says_how_it_is_and_can_be_looked_at() {
        let mut sight = samples::sight();
        let alone = monitor::page(&sight, &samples::viewer(), samples::NOW).into_string();
        assert!(!alone.contains("h-regions") && !alone.contains("aria-label=\"Region\""), "{alone}");

        let mut other = sight.view.regions[0].clone();
        other.region = "fra".parse().unwrap();
        (other.status, other.last) = (Verdict::Unknown, None);
        sight.view.regions.push(other);
        sight.view.status = Status::Regional;
        let page = monitor::page(&sight, &samples::viewer(), samples::NOW).into_string();
        for part in [
            "Regional Shop &lt;script&gt;",
            "h-regions",
            "not yet",
            "?range=1h&amp;region=fra",
            "It is down if most regions say so.",
            "While one of its 2 regions is silent, it is 1 min 13 s.",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        samples::well_formed(&page);
    }
}
