//! Instants and durations as Gazer stores and shows them: milliseconds since 1970, and texts such as `30s`.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored as POSIX does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const EPOCH: Self = Self(0);

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; nothing if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-23T14:05:09.120Z`.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => format!("{at:.3}"),
            Err(_) => format!("{} ms after 1970", self.0),
        }
    }

    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis(length)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(millis(length)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whole milliseconds, saturating.
pub fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// `90s`, `1m30s`, `250ms`, `14d`. A bare number has no unit and is refused, but for `0`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refused =
        || format!("{text:?} is not a duration; write a number and a unit (ms, s, m, h, d), as in 30s or 1m30s");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(refused());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(refused)?;
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(refused)?;
        total = total.checked_add(part).ok_or_else(refused)?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// The shortest exact text: `30s`, `1m30s`, `24h` is `1d`.
pub fn format_duration(length: Duration) -> String {
    let mut left = length.as_millis() as u64;
    if left == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (name, factor) in UNITS.iter().rev() {
        let count = left / factor;
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
            left -= count * factor;
        }
    }
    text
}

/// For reading, not for machines: the two largest units, `3 d 4 h`, `34 s`, `120 ms`.
pub fn humane_duration(length: Duration) -> String {
    let left = length.as_millis() as u64;
    let mut parts = Vec::new();
    let mut rest = left;
    for (name, factor) in UNITS.iter().rev() {
        let count = rest / factor;
        rest %= factor;
        if count > 0 && (*name != "ms" || left < 1_000) {
            let name = if *name == "m" { "min" } else { name };
            parts.push(format!("{count} {name}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "30", "s", "30 s", "-5s", "3y", "1.5s", "99999999999999999999s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn humane_durations_keep_two_units() {
        let day = Duration::from_secs(86_400 * 3 + 3_600 * 4 + 61);
        assert_eq!(humane_duration(day), "3 d 4 h");
        assert_eq!(humane_duration(Duration::from_secs(63)), "1 min 3 s");
        assert_eq!(humane_duration(Duration::from_millis(120)), "120 ms");
    }

    #[test]
    fn times_print_as_rfc_3339() {
        let at = Timestamp::from_millis(1_700_000_000_120);
        assert_eq!(at.rfc3339(), "2023-11-14T22:13:20.120Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.rfc3339()), Some(at));
    }

    proptest! {
        #[test]
        fn a_duration_survives_its_text(ms in 0u64..4_000_000_000) {
            let length = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(length)), Ok(length));
        }
    }
}
