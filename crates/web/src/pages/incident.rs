//! One incident: its cause, what happened when, every request that shows it, and who was told.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use gazer_domain::Timestamp;
use gazer_domain::delivery::State as Sent;
use gazer_domain::incident::{EventKind, Trouble};
use gazer_domain::period::Status;
use gazer_domain::time::humane_duration;
use gazer_store::{DeliveryView, Evidence, IncidentStory, Principal};
use maud::{Markup, html};

use super::{Answer, delivery, found, id, links};
use crate::Web;
use crate::auth::Member;
use crate::ui::attempt::{attempt, certificate};
use crate::ui::layout::{self, Frame, Section};
use crate::ui::{status, words};

/// `GET /incidents/{incident}`
pub(crate) async fn show(State(web): State<Web>, member: Member, Path(incident): Path<String>) -> Answer {
    let story = found(web.store.incident_get(member.team, id(&incident)?).await?)?;
    Ok(page(&story, &member, web.now()).into_response())
}

pub(crate) fn page(story: &IncidentStory, viewer: &Principal, now: Timestamp) -> Markup {
    let view = &story.view;
    let shown = story.evidence.iter().flat_map(|e| &e.attempts).find_map(|attempt| attempt.certificate());
    let body = html! {
        div.head {
            div {
                p.crumb { a href=(links::INCIDENTS) { "Incidents" } " /" }
                h1 { (view.monitor_name) }
                p.wrap { a href=(links::monitor(view.monitor)) { (view.monitor_target) } }
            }
        }
        div #now data-live data-status=(if view.incident.ended.is_some() { "closed" } else { "open" }) { (hero(story, now)) }
        div.two {
            section.sheet #timeline data-live aria-labelledby="h-timeline" { h2 #h-timeline { "What happened" } (timeline(story)) }
            section.sheet #deliveries data-live aria-labelledby="h-deliveries" { h2 #h-deliveries { "Who was told" } (deliveries(&story.deliveries, viewer, now)) }
        }
        section.sheet #evidence data-live aria-labelledby="h-evidence" {
            h2 #h-evidence { "Evidence" }
            p.small.soft { "Every request as it went out and came back. Secrets are masked; bodies are shown as text, cut to their beginning." }
            @if story.evidence.is_empty() { p.soft { "None was kept." } }
            @for (i, evidence) in story.evidence.iter().enumerate() { (check(evidence, is_regional(story), i == 0)) }
        }
        @if let Some(shown) = shown {
            section.sheet aria-labelledby="h-certificate" { h2 #h-certificate { "Certificate" } (certificate(shown, Some(now))) }
        }
    };
    layout::page(&Frame::new(&format!("Incident of {}", view.monitor_name), Section::Incidents, viewer, now), &body)
}

fn hero(story: &IncidentStory, now: Timestamp) -> Markup {
    let incident = &story.view.incident;
    let (trouble, word) = match incident.trouble {
        Trouble::Down => (Status::Down, "Down"),
        Trouble::Regional => (Status::Regional, "Regional"),
        Trouble::Slow => (Status::Slow, "Slow"),
    };
    let colour = if incident.ended.is_some() { Status::Up } else { trouble };
    html! {
        section.sheet.hero.(colour.as_str()) aria-label="Cause" {
            div {
                @if incident.ended.is_some() { p { (status::labelled(Status::Up, "Over")) } } @else { p { (status::labelled(trouble, word)) } }
                p.soft {
                    @match incident.ended {
                        Some(ended) => { (word) " for " (humane_duration(ended.since(incident.started))) ", until " (words::at(ended)) },
                        None => { "for " (words::age(incident.started, now)) },
                    }
                }
            }
            div {
                h2.wrap { (incident.cause.text) }
                p.small.soft { code { (incident.cause.code) } " · began " (words::at(incident.started)) }
            }
        }
    }
}

fn timeline(story: &IncidentStory) -> Markup {
    html! {
        ol.line {
            @for event in &story.events {
                li {
                    (status::event(event.kind)) " " span.soft.small { (words::at(event.at)) " · event " (event.number) }
                    @if let Some(cause) = &event.cause { p.wrap.small { (cause.text) } }
                }
            }
        }
    }
}

/// Whether it matters where a check was made: another region has seen it, or a region alone is what is wrong.
fn is_regional(story: &IncidentStory) -> bool {
    let first = story.evidence.first().map(|evidence| &evidence.region);
    let told = story.events.iter().any(|event| event.kind == EventKind::Regional);
    told || story.evidence.iter().any(|evidence| first != Some(&evidence.region))
}

fn check(evidence: &Evidence, from: bool, open: bool) -> Markup {
    html! {
        h3 { "Check of " (words::at(evidence.slot)) @if from { " from " (evidence.region) } " · " (words::count(evidence.attempts.len() as u64, "attempt")) }
        @for (i, one) in evidence.attempts.iter().enumerate() { (attempt(one, i + 1, open && i == 0)) }
    }
}

fn deliveries(deliveries: &[DeliveryView], viewer: &Principal, now: Timestamp) -> Markup {
    html! {
        @if deliveries.is_empty() {
            p.soft { "Nobody: no alert rule asked for it. " a href=(links::ALERTS) { "Say who is told" } }
        } @else {
            ul.line {
                @for sent in deliveries {
                    li {
                        (status::delivery(sent.state)) " " a href=(links::channel(sent.channel)) { (sent.channel_name) }
                        span.soft.small { " · " (sent.channel_kind) " · " (of(sent)) }
                        p.small.soft.wrap { (progress(sent, now)) }
                        @if let Some(receipt) = &sent.receipt { p.small.wrap { (receipt) } }
                        (delivery::kept(sent))
                        (delivery::button(sent, viewer, "little"))
                    }
                }
            }
        }
    }
}

fn of(delivery: &DeliveryView) -> String {
    delivery.event_kind.map_or_else(|| "test".into(), |kind| format!("event {} ({kind})", delivery.event))
}

/// How far a message is: `tried 3 times, again after 2 min`.
/// Anything nearer is now.
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

pub(crate) fn progress(sent: &DeliveryView, now: Timestamp) -> Markup {
    let tries = words::count(u64::from(sent.attempts), "attempt");
    html! {
        @match (sent.state, sent.settled_at, sent.next_at) {
            (Sent::Delivered, Some(at), _) => { "at " (words::at(at)) },
            (Sent::Dead, Some(at), _) => { "after " (tries) ", at " (words::at(at)) },
            (Sent::Merged, ..) => "Recovered before this went out; one message told both.",
            (Sent::Waiting, _, Some(next)) if sent.attempts > 0 && next.since(now) >= SECOND => { (tries) " so far, again in " (words::whole(next.since(now))) },
            (Sent::Waiting | Sent::Leased, ..) if sent.attempts > 0 => { (tries) " so far, again now" },
            _ => "on its way",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn an_incident_tells_its_story_and_runs_nothing_of_it() {
        let page = page(&samples::story(), &samples::viewer(), samples::NOW).into_string();
        for part in [
            "the status was 503, expected 100-399",
            "event 1",
            "Attempt 2",
            "First byte",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "x-powered-by",
            "203.0.113.9:443",
            "Delivered",
            "3 attempts so far, again in",
            "/send-again",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script>"), "{page}");
        samples::well_formed(&page);
    }
}
