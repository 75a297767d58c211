//! What a mail says: a subject that suffices on a lock screen, a text, and the same in HTML.
//!
//! Both bodies are made from one `Page`, so they cannot tell different stories. The HTML stands alone: no image, no
//! link but to the incident, styles inline because mail clients drop the rest, and a small sheet for dark screens that
//! those which understand it use.

use std::borrow::Cow;

use gazer_domain::Timestamp;
use gazer_domain::channel::{About, Notice, Story};
use gazer_domain::incident::EventKind;
use gazer_domain::time::humane_duration;
use maud::{DOCTYPE, PreEscaped, html};

use crate::{clipped, one_line, quoted};

mod issues;

/// Longer subjects are cut by every client; the whole sentence is in the body.
const SUBJECT_CHARS: usize = 140;

struct Page {
    /// The word that is read first.
    badge: &'static str,
    /// White on it is readable (WCAG AA), on a light and on a dark page.
    colour: &'static str,
    title: String,
    sentence: String,
    facts: Vec<(Cow<'static, str>, String)>,
    link: Option<Link>,
}

struct Link {
    /// Before it in a text, and on the button.
    named: &'static str,
    button: &'static str,
    to: String,
}

const RED: &str = "#b3261e";
const AMBER: &str = "#8f5a00";
const GREEN: &str = "#1b6e3c";
const GREY: &str = "#57606a";

pub(super) fn subject(notice: &Notice) -> String {
    let subject = match &notice.about {
        About::Test => "TEST · Gazer can reach you here".to_owned(),
        About::Incident(story) => {
            let name = quoted(&story.monitor_name);
            let lasted = humane_duration(lasted(story, notice.at));
            let news = match story.event {
                EventKind::Down | EventKind::Regional | EventKind::Slow => quoted(&story.cause.text),
                EventKind::Recovered => format!("back after {lasted}"),
                EventKind::Paused => format!("no longer watched, after {lasted} of trouble"),
                EventKind::Deleted => format!("no longer monitored, after {lasted} of trouble"),
            };
            format!("{} · {name} — {news}", badge(story.event).0)
        }
        About::Issues(news) => issues::subject(news),
    };
    clipped(&subject, SUBJECT_CHARS)
}

pub(super) fn text(notice: &Notice) -> String {
    let page = page(notice);
    let mut text = format!("{}: {}\n\n{}\n", page.badge, page.title, page.sentence);
    let width = page.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (i, (name, value)) in page.facts.iter().enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        text.push_str(&format!("{gap}{name:width$}  {value}\n"));
    }
    if let Some(link) = page.link {
        text.push_str(&format!("\n{}: {}\n", link.named, link.to));
    }
    text
}

/// Colours of the page at night; the inline ones are the day's.
const NIGHT: &str = "@media (prefers-color-scheme:dark){.page{background:#0d1117!important}\
.card{background:#161b22!important;border-color:#30363d!important}.ink{color:#e6edf3!important}\
.dim{color:#9da7b3!important}}";

pub(super) fn html(notice: &Notice) -> String {
    let page = page(notice);
    let font = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (page.title) }
                style { (PreEscaped(NIGHT)) }
            }
            body class="page" style={ "margin:0;padding:16px;background:#f6f8fa;" (font) } {
                table class="card" role="presentation" cellpadding="0" cellspacing="0" width="100%"
                    style="max-width:560px;margin:0 auto;background:#fff;border:1px solid #d0d7de;border-radius:10px" {
                    tr { td style="padding:24px" {
                        span style={
                            "display:inline-block;padding:3px 10px;border-radius:99px;color:#fff;font-size:13px;"
                            "font-weight:700;letter-spacing:.04em;background:" (page.colour)
                        } { (page.badge) }
                        h1 class="ink" style="margin:14px 0 8px;font-size:22px;line-height:1.3;color:#1f2328;overflow-wrap:anywhere" {
                            (page.title)
                        }
                        p class="ink" style="margin:0 0 18px;font-size:16px;line-height:1.5;color:#1f2328;overflow-wrap:anywhere" {
                            (page.sentence)
                        }
                        @if !page.facts.is_empty() {
                            table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px;font-size:14px;line-height:1.5" {
                                @for (name, value) in &page.facts {
                                    tr {
                                        td class="dim" valign="top" style="padding:2px 16px 2px 0;color:#57606a;white-space:nowrap" { (name) }
                                        td class="ink" style="padding:2px 0;color:#1f2328;overflow-wrap:anywhere" { (value) }
                                    }
                                }
                            }
                        }
                        @if let Some(link) = &page.link {
                            a href=(link.to) style={
                                "display:inline-block;padding:11px 18px;border-radius:8px;background:#1f5fbf;"
                                "color:#fff;font-size:15px;font-weight:600;text-decoration:none"
                            } { (link.button) }
                        }
                    } }
                }
            }
        }
    }
    .into_string()
}

fn page(notice: &Notice) -> Page {
    match &notice.about {
        About::Test => Page {
            badge: "TEST",
            colour: GREY,
            title: "Gazer can reach you here".into(),
            sentence: "Somebody pressed the test button of this channel. Nothing is wrong.".into(),
            facts: vec![("Sent".into(), clock(notice.at))],
            link: None,
        },
        About::Incident(story) => told(story, notice.at),
        About::Issues(news) => issues::page(news),
    }
}

fn told(story: &Story, at: Timestamp) -> Page {
    let (badge, colour) = badge(story.event);
    let name = quoted(&story.monitor_name);
    let cause = quoted(&story.cause.text);
    let (title, sentence) = match story.event {
        EventKind::Down => (format!("{name} is down"), cause.clone()),
        EventKind::Regional => (format!("{name} is down in some regions"), cause.clone()),
        EventKind::Slow => (format!("{name} is slow"), cause.clone()),
        EventKind::Recovered => (
            format!("{name} is back"),
            format!("The trouble lasted {}. It had begun with: {cause}", humane_duration(lasted(story, at))),
        ),
        EventKind::Paused => (
            format!("{name} is no longer watched"),
            "It was paused while it was in trouble. Nobody knows whether it has recovered.".into(),
        ),
        EventKind::Deleted => (
            format!("{name} is no longer monitored"),
            "It was deleted while it was in trouble. Nobody knows whether it has recovered.".into(),
        ),
    };
    let mut facts = vec![("Target".into(), quoted(&story.monitor_target)), ("Began".into(), clock(story.started))];
    if story.event.ends() {
        facts.push(("Ended".into(), clock(story.ended.unwrap_or(at))));
    }
    facts.push(("Cause".into(), format!("{cause} ({})", story.cause.code)));
    let link = link(&story.link, "What Gazer saw", "See what Gazer saw");
    Page { badge, colour, title, sentence, facts, link }
}

fn link(to: &str, named: &'static str, button: &'static str) -> Option<Link> {
    let to = one_line(to);
    (!to.is_empty()).then_some(Link { named, button, to })
}

const fn badge(event: EventKind) -> (&'static str, &'static str) {
    match event {
        EventKind::Down => ("DOWN", RED),
        EventKind::Regional => ("REGIONAL", AMBER),
        EventKind::Slow => ("SLOW", AMBER),
        EventKind::Recovered => ("UP", GREEN),
        EventKind::Paused => ("PAUSED", GREY),
        EventKind::Deleted => ("DELETED", GREY),
    }
}

fn lasted(story: &Story, at: Timestamp) -> std::time::Duration {
    story.ended.unwrap_or(at).since(story.started)
}

/// `2026-11-23 14:05:09 UTC`: the reader's zone is not known, so the zone is said.
fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => at.rfc3339(),
    }
}
