//! The status of one monitor, as the first thing its page says.
//!
//! A status and an open incident are two things. While Gazer cannot see, the status is unknown for a reason of Gazer's
//! own, and the incident goes on for the reason it began with: each is told as itself.

use gazer_domain::Timestamp;
use gazer_domain::cause::Code;
use gazer_domain::period::Status;
use gazer_domain::verdict::Verdict;
use gazer_store::{IncidentView, LastCheck};
use maud::{Markup, html};

use super::links;
use super::monitor::{Sight, promise};
use crate::ui::{last_check, status, words};

pub(super) fn hero(sight: &Sight, now: Timestamp) -> Markup {
    let view = &sight.view;
    let open = view.incident.and_then(|id| sight.incidents.iter().find(|told| told.incident.id == id));
    html! {
        section.sheet.hero.(view.status.as_str()) aria-label="Status" {
            div {
                p { (status::plain(view.status)) }
                p.soft { "for " (words::age(view.status_since, now)) ", since " (words::at(view.status_since)) }
                @if view.status == Status::Unknown { (unseen(sight)) }
                @if let Some(open) = open { (incident(open, view.status)) }
                @if let Some(last) = shown(sight) {
                    p.small.soft { "Last check " (words::age(last.slot, now)) " ago: " (last_check::sentence(last, &sight.checks)) }
                }
            }
            div { (promise(sight)) }
        }
    }
}

/// The last check of the region whose checks are at hand.
fn shown(sight: &Sight) -> Option<&LastCheck> {
    sight.view.regions.get(sight.region).and_then(|health| health.last.as_ref())
}

fn unseen(sight: &Sight) -> Markup {
    let Some(last) = shown(sight) else {
        return html! { p.small.soft { "Waiting for the first check." } };
    };
    // The last check may be a good one of long ago: then none was made since.
    let row = sight.checks.iter().rev().find(|row| row.slot == last.slot && row.verdict == Verdict::Unknown);
    html! {
        p.cause { (blind(row.and_then(|row| row.code))) }
        p.small.soft { "Unknown time is never counted as downtime." }
    }
}

fn blind(code: Option<Code>) -> &'static str {
    match code {
        Some(Code::EgressDenied) => "Gazer may not check this address: the operator has closed it.",
        Some(Code::ResolverFailed) => "Gazer could not see: its own resolver did not answer.",
        Some(Code::NetworkDown) => "Gazer could not see: its own network was down.",
        Some(Code::NoDescriptors | Code::Overloaded) => "Gazer could not see: its machine was overloaded.",
        Some(Code::Missed) => "Gazer did not check when it was due.",
        _ => "Gazer could not see how it is.",
    }
}

fn incident(open: &IncidentView, status: Status) -> Markup {
    let (incident, link) = (&open.incident, links::incident(open.incident.id));
    html! {
        @if status == Status::Unknown {
            p { "The incident of before is still open, since " (words::at(incident.started)) ": " span.cause { (incident.cause.text) } }
        } @else {
            p.cause { (incident.cause.text) }
        }
        p { a.alone href=(link) { "See the incident" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn an_open_incident_is_not_why_a_monitor_is_unknown() {
        let mut sight = samples::sight();
        let cause = samples::cause().text;
        let down = hero(&sight, samples::NOW).into_string();
        assert!(down.contains(&format!(r#"<p class="cause">{cause}"#)) && !down.contains("still open"), "{down}");

        sight.view.status = Status::Unknown;
        let row = sight.checks.last_mut().unwrap();
        (row.verdict, row.code) = (Verdict::Unknown, Some(Code::NetworkDown));
        let last = sight.view.regions[0].last.as_mut().unwrap();
        (last.slot, last.verdict) = (row.slot, Verdict::Unknown);
        let unknown = hero(&sight, samples::NOW).into_string();
        assert!(unknown.contains(r#"<p class="cause">Gazer could not see: its own network was down."#), "{unknown}");
        assert!(unknown.contains("The incident of before is still open, since"), "{unknown}");
        assert!(unknown.contains(&format!(r#"<span class="cause">{cause}"#)), "{unknown}");
    }

    #[test]
    fn a_new_monitor_waits_for_its_first_check() {
        let mut sight = samples::sight();
        sight.view.status = Status::Unknown;
        (sight.view.regions[0].last, sight.view.incident) = (None, None);
        let fresh = hero(&sight, samples::NOW).into_string();
        assert!(fresh.contains("Waiting for the first check.") && !fresh.contains("cause"), "{fresh}");
    }
}
