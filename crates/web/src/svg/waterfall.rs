//! Where the time of one request went: a row per phase, each beginning where the one before ended.

use gazer_domain::observation::Phases;
use maud::{Markup, html};

use crate::ui::words::micros;

pub(crate) const WORDS: [&str; 6] = ["DNS", "Connect", "TLS", "Send", "First byte", "Download"];

/// `before` is when the hop began and `whole` how long the attempt took, in microseconds: hops share one scale.
pub(crate) fn waterfall(phases: &Phases, before: u64, whole: u64) -> Markup {
    let whole = whole.max(before + phases.total_us()).max(1);
    let mut begun = before;
    let rows: Vec<_> = phases
        .in_order()
        .into_iter()
        .enumerate()
        .map(|(i, us)| {
            let from = begun;
            begun += u64::from(us);
            (i, from, u64::from(us))
        })
        .filter(|(_, _, us)| *us > 0)
        .collect();
    html! {
        div.fall {
            @for (i, from, us) in rows {
                span.soft { (WORDS[i]) }
                svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                    rect.(Phases::NAMES[i]) x=(scaled(from, whole)) y="0" width=(scaled(us, whole).max(3)) height="10" {}
                }
                span.num { (micros(us)) }
            }
        }
    }
}

fn scaled(us: u64, whole: u64) -> u64 {
    us * 1_000 / whole
}

pub(crate) fn legend() -> Markup {
    html! {
        div.legend {
            @for (i, word) in WORDS.iter().enumerate() {
                span { svg viewBox="0 0 10 10" aria-hidden="true" { rect.(Phases::NAMES[i]) width="10" height="10" rx="2" {} } (word) }
            }
        }
    }
}
