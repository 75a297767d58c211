//! Response time over a window: one stacked bar per stretch of time, a layer per phase.
//!
//! A stretch is at least one interval long, so at close range a bar is one check. Bars are means over the checks that
//! were answered; stretches without one stay empty. Behind the bars lie the periods that were not up, and under them a
//! red mark for every stretch with a failed check: neither a failure nor a gap of ours is averaged away.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::observation::Phases;
use gazer_domain::period::{Period, Status};
use gazer_domain::time::millis;
use gazer_domain::verdict::Verdict;
use gazer_store::CheckRow;
use maud::{Markup, html};

use crate::ui::words;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 200.0;
/// The strip under the bars that holds the marks of failures.
const STRIP: f64 = 8.0;
const MOST_BARS: i64 = 180;

pub(crate) struct Window {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) interval: Duration,
}

#[derive(Default, Clone)]
struct Bar {
    /// Sums over the answered checks, in microseconds per phase.
    phases: [u64; 6],
    answered: u64,
    failed: u64,
    unknown: u64,
}

impl Bar {
    fn total(&self) -> u64 {
        self.phases.iter().sum::<u64>().checked_div(self.answered).unwrap_or(0)
    }

    fn told(&self, at: Timestamp) -> String {
        let mut text = words::utc(at, "%-d %b, %H:%M UTC: ");
        let mut say = |part: String| text.push_str(&part);
        match (self.answered, self.failed + self.unknown) {
            (0, 0) => say("no checks".into()),
            (0, _) => {}
            (1, 0) => say(words::micros(self.total())),
            (n, _) => say(format!("{} on average of {}", words::micros(self.total()), words::count(n, "check"))),
        }
        for (n, what) in [(self.failed, "failed"), (self.unknown, "unknown")] {
            if n > 0 {
                say(format!(" · {n} {what}"));
            }
        }
        text
    }
}

pub(crate) fn chart(checks: &[CheckRow], periods: &[Period], window: &Window) -> Markup {
    let length = millis(window.until.since(window.from)).max(1);
    let stretch = millis(window.interval).max((length + MOST_BARS - 1) / MOST_BARS);
    let bars = gather(checks, window, stretch);
    let top = nice(bars.iter().map(Bar::total).max().unwrap_or(0));
    let width = WIDTH * stretch as f64 / length as f64;
    let x = |at: Timestamp| (WIDTH * (at.millis() - window.from.millis()) as f64 / length as f64).clamp(0.0, WIDTH);
    html! {
        figure.chart {
            div.ys aria-hidden="true" { @for part in (0..=4).rev() { span { (axis(top * part / 4)) } } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT + STRIP) } preserveAspectRatio="none" role="img" aria-label=(summary(&bars)) {
                @for part in 0..=4u32 {
                    @let y = HEIGHT * f64::from(part) / 4.0;
                    line.rule x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
                }
                @for period in periods.iter().filter(|p| p.status != Status::Up && p.started < window.until) {
                    @let (from, until) = (x(period.started), x(period.ended.unwrap_or(window.until)));
                    @if until > from {
                        rect.band.(period.status.as_str()) x=(short(from)) y="0" width=(short((until - from).max(2.0))) height=(HEIGHT) {}
                    }
                }
                @for (i, layer) in layers(&bars, top, width).iter().enumerate() {
                    @if !layer.is_empty() { path.(Phases::NAMES[i]) d=(layer) {} }
                }
                @for (i, bar) in bars.iter().enumerate() {
                    @if bar.failed > 0 {
                        rect.fail x=(short(i as f64 * width)) y=(HEIGHT + 2.0) width=(short(width.max(3.0) * 0.9)) height=(STRIP - 2.0) {}
                    }
                }
                @for (i, bar) in bars.iter().enumerate() {
                    @if bar.answered + bar.failed + bar.unknown > 0 {
                        rect.hot x=(short(i as f64 * width)) y="0" width=(short(width)) height=(HEIGHT + STRIP) {
                            title { (bar.told(window.from + Duration::from_millis(stretch as u64) * i as u32)) }
                        }
                    }
                }
            }
            (ends(window))
        }
    }
}

fn ends(window: &Window) -> Markup {
    let length = window.until.since(window.from);
    let marks = (0..=4u32).map(|part| window.from + length * part / 4);
    html! {
        div.ends {
            @for mark in marks {
                @if length > Duration::from_secs(2 * 86_400) { (words::day(mark)) } @else { (words::clock(mark)) }
            }
        }
    }
}

fn gather(checks: &[CheckRow], window: &Window, stretch: i64) -> Vec<Bar> {
    let length = millis(window.until.since(window.from)).max(1);
    let mut bars = vec![Bar::default(); ((length + stretch - 1) / stretch) as usize];
    for check in checks {
        let at = check.slot.millis() - window.from.millis();
        let Some(bar) = usize::try_from(at.div_euclid(stretch)).ok().and_then(|i| bars.get_mut(i)) else { continue };
        match check.verdict {
            Verdict::Down => bar.failed += 1,
            Verdict::Unknown => bar.unknown += 1,
            Verdict::Up | Verdict::Slow => {
                bar.answered += 1;
                for (sum, us) in bar.phases.iter_mut().zip(check.phases.in_order()) {
                    *sum += u64::from(us);
                }
            }
        }
    }
    bars
}

/// One path per phase: its part of every bar.
fn layers(bars: &[Bar], top: u64, width: f64) -> [String; 6] {
    let mut layers: [String; 6] = Default::default();
    for (i, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.answered > 0) {
        let mut y = HEIGHT;
        for (layer, sum) in layers.iter_mut().zip(bar.phases) {
            let height = HEIGHT * (sum / bar.answered) as f64 / top as f64;
            if height < 0.05 {
                continue;
            }
            y -= height;
            let (x, w) = (short(i as f64 * width), short(width * 0.86));
            layer.push_str(&format!("M{x} {}h{w}v{}h-{w}z", short(y), short(height)));
        }
    }
    layers
}

/// What a listener hears instead of the drawing.
fn summary(bars: &[Bar]) -> String {
    let sum = |of: fn(&Bar) -> u64| bars.iter().map(of).sum::<u64>();
    let (answered, failed, unknown) = (sum(|b| b.answered), sum(|b| b.failed), sum(|b| b.unknown));
    let total = sum(|b| b.phases.iter().sum());
    let mean =
        total.checked_div(answered).map_or_else(String::new, |mean| format!(", {} on average", words::micros(mean)));
    format!("Response time: {} answered{mean}; {failed} failed, {unknown} unknown", words::count(answered, "check"))
}

/// The next of 1, 2, 4, 6, 8 × 10ⁿ milliseconds, in microseconds: five marks of the axis fall on whole numbers or halves.
fn nice(us: u64) -> u64 {
    let mut scale = 1_000;
    while scale < 100_000_000 {
        for step in [1, 2, 4, 6, 8] {
            if us <= scale * step {
                return scale * step;
            }
        }
        scale *= 10;
    }
    us
}

fn axis(us: u64) -> String {
    match us {
        0 => "0".into(),
        us if us >= 1_000_000 => format!("{} s", us as f64 / 1_000_000.0),
        us => format!("{} ms", us as f64 / 1_000.0),
    }
}

/// Two decimals are a hundredth of a thousandth of the width.
fn short(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(at: i64, verdict: Verdict) -> CheckRow {
        CheckRow {
            slot: Timestamp::from_millis(at),
            lateness: Duration::ZERO,
            took: Duration::from_millis(30),
            verdict,
            code: None,
            phases: Phases { connect: 10_000, first_byte: 20_000, ..Phases::default() },
        }
    }

    #[test]
    fn bars_are_means_and_neither_failures_nor_gaps_are_averaged_away() {
        let window = Window {
            from: Timestamp::EPOCH,
            until: Timestamp::from_millis(3_600_000),
            interval: Duration::from_secs(60),
        };
        let checks = [check(0, Verdict::Up), check(60_000, Verdict::Down), check(120_000, Verdict::Unknown)];
        let bars = gather(&checks, &window, 60_000);
        assert_eq!((bars.len(), bars[0].total(), bars[1].failed, bars[2].unknown), (60, 30_000, 1, 1));
        let html = chart(&checks, &[], &window).into_string();
        assert_eq!(html.matches("class=\"fail\"").count(), 1);
        assert!(html.contains("1 check answered, 30 ms on average; 1 failed, 1 unknown"), "{html}");
    }

    #[test]
    fn the_axis_ends_on_a_round_number() {
        assert_eq!([nice(0), nice(1_200), nice(84_000), nice(810_000)], [1_000, 2_000, 100_000, 1_000_000]);
        assert_eq!([axis(0), axis(250_000), axis(1_500_000)], ["0", "250 ms", "1.5 s"]);
    }
}
