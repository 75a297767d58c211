//! The frame around every page: skip link, brand, menu, the main landmark, and the foot.

use gazer_domain::Timestamp;
use gazer_store::Principal;
use maud::{DOCTYPE, Markup, html};

use crate::assets;

/// Which entry of the menu the page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Monitors,
    Incidents,
    Alerts,
    Account,
    /// Of whoever runs this installation.
    Operator,
    /// Sign-in, set-up and errors.
    None,
}

const MENU: [(Section, &str, &str); 5] = [
    (Section::Monitors, "/monitors", "Monitors"),
    (Section::Incidents, "/incidents", "Incidents"),
    (Section::Alerts, "/alerts", "Alerts"),
    (Section::Account, "/account", "Account"),
    (Section::Operator, "/operator/issues", "Operator"),
];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) section: Section,
    /// Who looks; a stranger sees no menu.
    pub(crate) viewer: Option<&'a Principal>,
    /// What ages on the page count from.
    pub(crate) now: Option<Timestamp>,
    /// Seconds after which a page that waits for something is loaded again, for browsers without our script.
    pub(crate) reload: Option<u32>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(title: &'a str, section: Section, viewer: &'a Principal, now: Timestamp) -> Self {
        Self { title, section, viewer: Some(viewer), now: Some(now), reload: None }
    }

    pub(crate) fn stranger(title: &'a str) -> Self {
        Self { title, section: Section::None, viewer: None, now: None, reload: None }
    }
}

pub(crate) fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(seconds) = frame.reload { meta http-equiv="refresh" content=(seconds); }
                title { (frame.title) " · Gazer" }
                link rel="icon" type="image/svg+xml" href=(assets::icon());
                link rel="stylesheet" href=(assets::css());
                script src=(assets::js()) defer {}
            }
            body data-now=[frame.now.map(Timestamp::millis)] {
                a.skip href="#main" { "Skip to the content" }
                (top(frame))
                main #main tabindex="-1" { (body) }
                footer.foot {
                    div {
                        span { "Gazer " (env!("CARGO_PKG_VERSION")) " · " a href="/api/v1/openapi.json" { "API" } }
                        @if frame.viewer.is_some() { span.beat aria-hidden="true" { "Reload to refresh" } }
                    }
                }
            }
        }
    }
}

fn top(frame: &Frame<'_>) -> Markup {
    html! {
        header.top {
            div {
                a.brand href="/" { (eye()) "Gazer" }
                @if let Some(viewer) = frame.viewer {
                    nav.menu aria-label="Main" {
                        ul {
                            @for (section, href, name) in MENU.into_iter().filter(|entry| entry.0 != Section::Operator || viewer.is_operator) {
                                li { a href=(href) aria-current=[(section == frame.section).then_some("page")] { (name) } }
                            }
                        }
                    }
                    div.team title=(viewer.who) { span { (viewer.team_name) } }
                }
            }
        }
    }
}

/// The mark of the house: an eye that looks up.
pub(crate) fn eye() -> Markup {
    html! {
        svg viewBox="0 0 32 32" aria-hidden="true" {
            path.lid d="M16 5C8.5 5 3.2 11 1 16c2.2 5 7.5 11 15 11s12.8-6 15-11C28.8 11 23.5 5 16 5z" {}
            circle.iris cx="16" cy="16" r="7.5" {}
            path.pupil d="M16 11.5a4.5 4.5 0 1 0 4.5 4.5H16z" {}
        }
    }
}
