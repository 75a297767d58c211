//! The last checks of a monitor as a row of bars, for the list.

use gazer_domain::verdict::Verdict;
use gazer_store::CheckRow;
use maud::{Markup, html};

const WIDTH: usize = 120;
const HEIGHT: u128 = 28;
/// How many checks are asked for and drawn.
pub(crate) const CHECKS: u32 = 30;

/// Oldest first. A failed check is a bar of full height, one that we could not make a low one.
pub(crate) fn sparkline(checks: &[CheckRow]) -> Markup {
    let from = checks.len().saturating_sub(CHECKS as usize);
    let checks = &checks[from..];
    let slowest = checks.iter().filter(|check| check.verdict.is_up()).map(|check| check.took.as_millis()).max();
    let step = WIDTH / CHECKS as usize;
    let blank = CHECKS as usize - checks.len();
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Down).count();
    html! {
        svg.spark viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
            aria-label={ "Last " (checks.len()) " checks, " (failed) " failed" } {
            @for i in 0..blank { rect.none x=(i * step) y=(HEIGHT - 1) width=(step - 1) height="1" {} }
            @for (i, check) in checks.iter().enumerate() {
                @let height = height(check, slowest.unwrap_or(1).max(1));
                rect.(check.verdict.as_str()) x=((blank + i) * step) y=(HEIGHT - height) width=(step - 1) height=(height) {}
            }
        }
    }
}

fn height(check: &CheckRow, slowest: u128) -> u128 {
    match check.verdict {
        Verdict::Up | Verdict::Slow => (check.took.as_millis() * (HEIGHT - 6) / slowest).clamp(3, HEIGHT - 6),
        Verdict::Down => HEIGHT,
        Verdict::Unknown => 5,
    }
}
