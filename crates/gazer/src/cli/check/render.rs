//! The result of a check for people: a waterfall of the phases per hop, the certificate, the verdict.
//!
//! The text always carries its colours; whoever prints it takes them off where no terminal shows them. What a site said
//! is printed without its control characters, since a terminal would obey them.

use std::fmt::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use gazer_domain::Timestamp;
use gazer_domain::observation::{Attempt, Certificate, Hop, Observation, Phases};
use gazer_domain::time::humane_duration;
use gazer_domain::verdict::Verdict;

/// Columns of the longest waterfall; with its labels a line stays below 80.
const BAR: u64 = 48;
/// A certificate with fewer days left is shown in yellow.
const SOON: Duration = Duration::from_secs(14 * 86_400);

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
/// One per phase, in their order.
const PHASES: [Style; 6] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Blue.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::BrightBlack.on_default(),
    AnsiColor::Green.on_default(),
    AnsiColor::Yellow.on_default(),
];

pub(crate) fn page(seen: &Observation) -> String {
    let mut out = String::new();
    for (i, attempt) in seen.attempts.iter().enumerate() {
        write_attempt(&mut out, i + 1, attempt).expect("a String takes whatever is written to it");
    }
    write_verdict(&mut out, seen).expect("a String takes whatever is written to it");
    out
}

fn write_attempt(out: &mut String, number: usize, attempt: &Attempt) -> fmt::Result {
    writeln!(out, "{BOLD}attempt {number}{BOLD:#}{DIM}, {}{DIM:#}", length(attempt.took))?;
    let scale = attempt.phases().total_us();
    let mut begun = 0;
    for hop in &attempt.hops {
        write_hop(out, hop, begun, scale)?;
        begun += hop.phases.total_us();
    }
    if let Some(certificate) = attempt.certificate() {
        write_certificate(out, certificate, attempt.started)?;
    }
    if let Some(fault) = &attempt.fault {
        writeln!(out, "  {RED}{}{RED:#}", shown(&fault.text))?;
    }
    writeln!(out)
}

fn write_hop(out: &mut String, hop: &Hop, begun: u64, scale: u64) -> fmt::Result {
    write!(out, "  {} {}", shown(&hop.request.method), shown(&hop.request.url))?;
    match hop.address {
        Some(address) => writeln!(out, " {DIM}at {address}{DIM:#}")?,
        None => writeln!(out)?,
    }
    let mut begun = begun;
    for ((name, us), style) in Phases::NAMES.iter().zip(hop.phases.in_order()).zip(PHASES) {
        if us == 0 {
            continue;
        }
        let (left, width) = bar(begun, u64::from(us), scale);
        let (label, left, bar) = (name.replace('_', " "), " ".repeat(left), "█".repeat(width));
        writeln!(out, "    {label:<10} {:>9.2} ms  {left}{style}{bar}{style:#}", f64::from(us) / 1_000.0)?;
        begun += u64::from(us);
    }
    let Some(answer) = &hop.answer else { return Ok(()) };
    let style = if answer.status < 400 { GREEN } else { RED };
    write!(out, "    {style}{}{style:#} {}", answer.status, answer.version.as_str())?;
    if let Some(to) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
        write!(out, " {DIM}to {}{DIM:#}", shown(to))?;
    }
    writeln!(out, "{DIM}, {}{DIM:#}", size(answer.body_bytes))
}

/// Where a bar begins and how wide it is: at least one column, and never beyond the edge.
fn bar(begun: u64, us: u64, scale: u64) -> (usize, usize) {
    let scale = scale.max(1);
    let left = (begun * BAR / scale).min(BAR - 1);
    let right = ((begun + us) * BAR).div_ceil(scale).clamp(left + 1, BAR);
    (left as usize, (right - left) as usize)
}

fn write_certificate(out: &mut String, certificate: &Certificate, now: Timestamp) -> fmt::Result {
    let left = certificate.not_after.since(now);
    let (style, left) = match left {
        Duration::ZERO => (RED, "expired".to_owned()),
        left if left < SOON => (YELLOW, format!("{} left", humane_duration(left))),
        left => (GREEN, format!("{} left", humane_duration(left))),
    };
    let (names, issuer) = (shown(&certificate.names.join(", ")), shown(&certificate.issuer));
    let until = certificate.not_after.rfc3339();
    writeln!(out, "  certificate {style}{left}{style:#}, until {} {DIM}for {names} by {issuer}{DIM:#}", &until[..10])
}

fn write_verdict(out: &mut String, seen: &Observation) -> fmt::Result {
    let verdict = seen.judgement.verdict;
    let style = match verdict {
        Verdict::Up => GREEN,
        Verdict::Slow | Verdict::Unknown => YELLOW,
        Verdict::Down => RED,
    }
    .bold();
    write!(out, "{style}{verdict}{style:#}")?;
    match &seen.judgement.cause {
        Some(cause) => writeln!(out, ": {} {DIM}({}){DIM:#}", shown(&cause.text), cause.code),
        None => writeln!(out, " in {}", length(seen.took)),
    }
}

fn length(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
    } else {
        format!("{:.2} s", took.as_secs_f64())
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0 => "no body".to_owned(),
        1..1024 => format!("{bytes} bytes of body"),
        _ => format!("{:.1} KiB of body", bytes as f64 / 1024.0),
    }
}

fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_within_their_columns() {
        for (begun, us, scale) in [(0, 0, 0), (0, 1, 1_000_000), (999_999, 1, 1_000_000), (0, 5, 5), (7, 900, 5)] {
            let (left, width) = bar(begun, us, scale);
            assert!(width >= 1 && left + width <= BAR as usize, "{begun} {us} {scale}");
        }
    }
}
