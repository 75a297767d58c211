//! A status is said three ways at once: by colour, by shape and by word.

use gazer_domain::delivery::State;
use gazer_domain::incident::EventKind;
use gazer_domain::period::Status;
use maud::{Markup, html};

pub(crate) fn word(status: Status) -> &'static str {
    match status {
        Status::Up => "Up",
        Status::Slow => "Slow",
        Status::Regional => "Regional",
        Status::Down => "Down",
        Status::Unknown => "Unknown",
        Status::Paused => "Paused",
    }
}

pub(crate) fn plain(status: Status) -> Markup {
    html! { span class={ "st " (status.as_str()) } { (icon(status)) (word(status)) } }
}

pub(crate) fn pill(status: Status) -> Markup {
    html! { span class={ "st pill " (status.as_str()) } { (icon(status)) (word(status)) } }
}

pub(crate) fn event(kind: EventKind) -> Markup {
    let (status, word) = match kind {
        EventKind::Down => (Status::Down, "Down"),
        EventKind::Regional => (Status::Regional, "Down in some regions"),
        EventKind::Slow => (Status::Slow, "Slow"),
        EventKind::Recovered => (Status::Up, "Recovered"),
        EventKind::Paused => (Status::Paused, "Monitor paused"),
        EventKind::Deleted => (Status::Paused, "Monitor deleted"),
    };
    labelled(status, word)
}

pub(crate) fn delivery(state: State) -> Markup {
    match state {
        State::Waiting => labelled(Status::Slow, "Waiting"),
        State::Leased => labelled(Status::Slow, "Sending"),
        State::Delivered => labelled(Status::Up, "Delivered"),
        State::Dead => labelled(Status::Down, "Given up"),
        State::Merged => labelled(Status::Paused, "Told with the recovery"),
    }
}

pub(crate) fn labelled(status: Status, word: &str) -> Markup {
    html! { span class={ "st " (status.as_str()) } { (icon(status)) (word) } }
}

/// A tick in a disc, a triangle, a disc half full, a cross in a square, a ring, two bars: told apart without colour.
fn icon(status: Status) -> Markup {
    let shape = match status {
        Status::Up => "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0zM6.8 12 3 8.2l1.6-1.6 2.2 2.2 4.8-4.8L13.2 5.6z",
        Status::Slow => "M8 .5 16 15H0zM7 5.5l.3 5h1.4l.3-5zM8 11.4a1 1 0 1 0 0 2 1 1 0 0 0 0-2z",
        Status::Regional => "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0zm0 2a6 6 0 0 1 0 12z",
        Status::Down => {
            "M2 0h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2V2a2 2 0 0 1 2-2zM4.5 3 3 4.5 6.5 8 3 11.5 4.5 13 8 9.5 11.5 13 13 11.5 9.5 8 13 4.5 11.5 3 8 6.5z"
        }
        Status::Unknown => {
            "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0zm0 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM7 10h2v2H7zM7 8.5h2c0-1.2 2-1.6 2-3.3C11 3.9 9.7 3 8 3S5 4 5 5.5h2c0-.4.4-.8 1-.8s1 .3 1 .8c0 .9-2 1.2-2 3z"
        }
        Status::Paused => "M3 1h4v14H3zM9 1h4v14H9z",
    };
    html! { svg viewBox="0 0 16 16" aria-hidden="true" { path fill-rule="evenodd" d=(shape) {} } }
}
