//! One attempt as evidence: the hops it took, each with its waterfall, headers, body and certificate.
//!
//! All of it was written by strangers. It is text here and nothing else: escaped, in boxes that scroll.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::observation::{Answer, Attempt, Certificate, Hop, Phases};
use maud::{Markup, html};

use crate::svg::waterfall::waterfall;
use crate::ui::words;

/// `number` counts from 1; the first one of a check is open, its repetitions unfold.
pub(crate) fn attempt(attempt: &Attempt, number: usize, open: bool) -> Markup {
    let whole = micros(attempt.took).max(attempt.phases().total_us());
    let begins = attempt.hops.iter().scan(0, |sum, hop| {
        let before = *sum;
        *sum += hop.phases.total_us();
        Some(before)
    });
    html! {
        details.attempt open[open] {
            summary {
                strong { "Attempt " (number) }
                span.wrap { (outcome(attempt)) }
                span.soft.nowrap { (words::took(attempt.took)) " · " (words::at(attempt.started)) }
            }
            div {
                @if let Some(fault) = &attempt.fault {
                    p.note.bad { (fault.text) " " code.soft { (fault.code) } }
                }
                @for (i, (hop, before)) in attempt.hops.iter().zip(begins).enumerate() {
                    (one_hop(hop, i, attempt.hops.len(), before, whole))
                }
            }
        }
    }
}

fn outcome(attempt: &Attempt) -> Markup {
    html! {
        @match (&attempt.fault, attempt.answer()) {
            (Some(fault), _) => code { (fault.code) },
            (None, Some(answer)) => { "answered " (answer.status) },
            (None, None) => "no answer",
        }
    }
}

fn one_hop(hop: &Hop, number: usize, of: usize, before: u64, whole: u64) -> Markup {
    html! {
        section.hop aria-label={ "Request " (number + 1) " of " (of) } {
            p.goes {
                @if of > 1 { span.soft { (number + 1) ". " } }
                strong { (hop.request.method) } " " (hop.request.url)
                @if let Some(address) = hop.address { span.soft { " at " (address) } }
            }
            @if hop.phases == Phases::default() {
                p.soft { "Nothing was sent: no phase was completed." }
            } @else {
                (waterfall(&hop.phases, before, whole))
            }
            @if let Some(answer) = &hop.answer {
                p.goes { strong { (answer.version.as_str()) " " (answer.status) } span.soft { " · " (words::grouped(answer.body_bytes)) " bytes of body read" } }
            }
            (headers("Request headers", &hop.request.headers))
            @if let Some(answer) = &hop.answer { (answered(answer)) }
            @if let Some(certificate) = &hop.certificate {
                details { summary { "Certificate" } (self::certificate(certificate, None)) }
            }
        }
    }
}

fn answered(answer: &Answer) -> Markup {
    html! {
        (headers("Response headers", &answer.headers))
        @if let Some(body) = &answer.body {
            details open {
                summary { "Response body" @if body.truncated { span.soft { " (its beginning)" } } }
                pre tabindex="0" { (body.text) }
            }
        }
    }
}

fn headers(title: &str, headers: &[(String, String)]) -> Markup {
    html! {
        @if !headers.is_empty() {
            details {
                summary { (title) " " span.soft { "(" (headers.len()) ")" } }
                dl.heads { @for (name, value) in headers { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// `now` adds how long it still holds.
pub(crate) fn certificate(certificate: &Certificate, now: Option<Timestamp>) -> Markup {
    html! {
        dl.pairs {
            dt { "Subject" } dd { (certificate.subject) }
            dt { "Issuer" } dd { (certificate.issuer) }
            dt { "Names" } dd { (certificate.names.join(", ")) }
            dt { "Valid from" } dd { (words::at(certificate.not_before)) }
            dt { "Valid until" } dd {
                (words::at(certificate.not_after))
                @if let Some(now) = now { span.soft { " (" (words::whole(certificate.not_after.since(now))) " left)" } }
            }
        }
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
