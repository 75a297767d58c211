//! What the operator's mail says of errors of our own.

use gazer_domain::issue::{Kind, News, Told};

use super::{AMBER, GREY, Page, RED, clock, link};
use crate::quoted;

pub(super) fn subject(news: &News) -> String {
    let about = match &news.issues[..] {
        [told] if news.more == 0 => format!("{} — {}", quoted(&told.function), quoted(&told.message)),
        _ => format!("{} issues", count(news)),
    };
    format!("{} · Gazer itself: {about}", badge(news.kind).0)
}

pub(super) fn page(news: &News) -> Page {
    let (badge, colour) = badge(news.kind);
    match (news.kind, &news.issues[..]) {
        (Kind::New | Kind::Regressed, [told]) => Page {
            badge,
            colour,
            title: match news.kind {
                Kind::Regressed => format!("An error of Gazer itself is back in {}", quoted(&told.function)),
                _ => format!("An error of Gazer itself in {}", quoted(&told.function)),
            },
            sentence: quoted(&told.message),
            facts: vec![
                ("Version".into(), quoted(&told.version)),
                ("First".into(), clock(told.first_seen)),
                ("Last".into(), clock(told.last_seen)),
                ("So far".into(), times(told.count)),
            ],
            link: link(&told.link, "All that is known", "See all that is known"),
        },
        _ => Page {
            badge,
            colour,
            title: "Errors of Gazer itself go on".into(),
            sentence: "Each has happened again since it was told last, or was one of too many to be told at once."
                .into(),
            facts: news.issues.iter().map(fact).chain(more(news)).collect(),
            link: link(&news.link, "All issues", "See all issues"),
        },
    }
}

const fn badge(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::New => ("NEW ISSUE", RED),
        Kind::Regressed => ("BACK", AMBER),
        Kind::Digest => ("DIGEST", GREY),
    }
}

fn fact(told: &Told) -> (std::borrow::Cow<'static, str>, String) {
    let said =
        format!("{} more, the last at {}: {}", times(told.repeats), clock(told.last_seen), quoted(&told.message));
    (quoted(&told.function).into(), said)
}

fn more(news: &News) -> Option<(std::borrow::Cow<'static, str>, String)> {
    (news.more > 0).then(|| ("…".into(), format!("and {} more issues", news.more)))
}

fn count(news: &News) -> usize {
    news.issues.len() + news.more as usize
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}
