//! Instants, lengths and numbers as people read them.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::time::humane_duration;
use maud::{Markup, html};

/// `23 Nov 2026, 14:05:09 UTC`; the script turns it into the reader's own time.
pub(crate) fn at(at: Timestamp) -> Markup {
    html! { time.at datetime=(at.rfc3339()) { (utc(at, "%-d %b %Y, %H:%M:%S UTC")) } }
}

pub(crate) fn day(at: Timestamp) -> Markup {
    html! { time.at.day datetime=(at.rfc3339()) { (utc(at, "%-d %b %Y")) } }
}

pub(crate) fn clock(at: Timestamp) -> Markup {
    html! { time.at.hm datetime=(at.rfc3339()) { (utc(at, "%H:%M UTC")) } }
}

/// `3 min 20 s`, counted on by the script. The caller writes what follows: ` ago`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> Markup {
    html! { time.ago datetime=(at.rfc3339()) { (whole(now.since(at))) } }
}

/// To whole seconds, from a second on.
pub(crate) fn whole(length: Duration) -> String {
    humane_duration(Duration::from_secs(length.as_secs()))
}

/// The largest unit alone: `3 d`, `12 min`.
pub(crate) fn coarse(length: Duration) -> String {
    let whole = whole(length);
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// `0.4 ms`, `84 ms`, `2.31 s`. What is kept to a millisecond may be none, and still took some time.
pub(crate) fn took(length: Duration) -> String {
    match length.as_micros() {
        0 => "under 1 ms".into(),
        us if us < 10_000 => format!("{:.1} ms", us as f64 / 1_000.0),
        us if us < 1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{:.2} s", length.as_secs_f64()),
    }
}

/// Microseconds of a phase; one that did not happen took `0.0 ms`.
pub(crate) fn micros(us: u64) -> String {
    if us == 0 { "0.0 ms".into() } else { took(Duration::from_micros(us)) }
}

/// `1 check`, `2,345 checks`
pub(crate) fn count(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(n))
}

pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn utc(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| at.rfc3339(), |at| at.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_read_well() {
        let at = Timestamp::from_millis(1_700_000_000_120);
        assert!(super::at(at).into_string().contains("14 Nov 2023, 22:13:20 UTC"));
        assert_eq!(took(Duration::from_millis(84)), "84 ms");
        assert_eq!(took(Duration::from_millis(2_310)), "2.31 s");
        assert_eq!(took(Duration::from_micros(430)), "0.4 ms");
        assert_eq!(coarse(Duration::from_secs(3 * 86_400 + 3_600)), "3 d");
        assert_eq!(coarse(Duration::ZERO), "0 s");
        assert_eq!(took(Duration::ZERO), "under 1 ms");
        assert_eq!(micros(432), "0.4 ms");
        assert_eq!(count(1, "check"), "1 check");
        assert_eq!(count(1_234_567, "check"), "1,234,567 checks");
    }
}
