//! What an http monitor asks of an answer, and whether it got it.

use std::fmt;
use std::time::Duration;

use crate::cause::{Cause, Code};
use crate::http::HttpSpec;
use crate::observation::{Answer, Attempt, Fact, JsonValue};
use crate::time::{format_duration, millis};
use crate::verdict::{Judgement, Verdict};

/// At most this many per monitor: enough for any real page, few enough to check on every answer.
pub const MOST: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    Lacks,
    Matches,
}

impl Op {
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Contains, Self::Lacks, Self::Matches];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Contains => "contains",
            Self::Lacks => "lacks",
            Self::Matches => "matches",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Contains | Self::Lacks | Self::Matches => false,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Assertion {
    Status(StatusSet),
    /// A name may come in several lines. One of them must hold; for lacks and != all must.
    Header {
        name: String,
        op: Op,
        value: String,
    },
    /// `op` is contains, lacks or matches.
    Body {
        op: Op,
        value: String,
    },
    /// `path` is an RFC 9535 JSONPath that names one value.
    Json {
        path: String,
        op: Op,
        value: JsonValue,
    },
    /// Response time; what fails it is slow, not down.
    Time {
        op: Op,
        limit: Duration,
    },
    /// Time left until the certificate expires.
    Certificate {
        op: Op,
        left: Duration,
    },
}

/// `200-299,401`: the statuses that count as good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// What holds where a monitor names no status.
    pub fn below_400() -> Self {
        Self(vec![(100, 399)])
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a set of statuses; write codes and ranges, as in 200-299,401");
        let mut ranges = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let parse = |n: &str| n.trim().parse::<u16>().ok().filter(|n| (100..=599).contains(n)).ok_or_else(refused);
            let (low, high) = (parse(low)?, parse(high)?);
            if low > high {
                return Err(refused());
            }
            ranges.push((low, high));
        }
        Ok(Self(ranges))
    }

    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|&(low, high)| (low..=high).contains(&status))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (low, high)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if low == high { write!(f, "{comma}{low}")? } else { write!(f, "{comma}{low}-{high}")? }
        }
        Ok(())
    }
}

/// One judgement per assertion, after the one on the status that always holds.
pub(crate) fn evaluate<'a>(attempt: &'a Attempt, spec: &'a HttpSpec) -> impl Iterator<Item = Judgement> + 'a {
    let names_status = spec.assertions.iter().any(|a| matches!(a, Assertion::Status(_)));
    let implied = (!names_status).then(|| status(attempt, &StatusSet::below_400()));
    let asked = spec.assertions.iter().enumerate().map(|(i, assertion)| {
        let fact = attempt.facts.get(i).unwrap_or(&Fact::NotAsked);
        one(attempt, assertion, fact)
    });
    implied.into_iter().chain(asked)
}

fn one(attempt: &Attempt, assertion: &Assertion, fact: &Fact) -> Judgement {
    match assertion {
        Assertion::Status(set) => status(attempt, set),
        Assertion::Header { name, op, value } => header(attempt, name, *op, value, fact),
        Assertion::Body { op, value } => body(attempt, *op, value, fact),
        Assertion::Json { path, op, value } => json(path, *op, value, fact),
        Assertion::Time { op, limit } => time(attempt, *op, *limit),
        Assertion::Certificate { op, left } => certificate(attempt, *op, *left),
    }
}

fn down(code: Code, text: String) -> Judgement {
    Judgement::of(Verdict::Down, Cause::new(code, text))
}

fn status(attempt: &Attempt, set: &StatusSet) -> Judgement {
    let Some(answer) = attempt.answer() else {
        return down(Code::BadResponse, "there was no answer".into());
    };
    if set.contains(answer.status) {
        return Judgement::UP;
    }
    down(Code::StatusUnexpected, format!("the status was {}, expected {set}", answer.status))
}

fn header(attempt: &Attempt, name: &str, op: Op, value: &str, fact: &Fact) -> Judgement {
    let lines: Vec<&str> = attempt.answer().map(|answer| answer.lines(name).collect()).unwrap_or_default();
    let holds = match op {
        Op::Matches => matches!(fact, Fact::Found(true)),
        Op::Lacks | Op::Ne => lines.iter().all(|seen| line_holds(op, seen, value)),
        _ => lines.iter().any(|seen| line_holds(op, seen, value)),
    };
    if holds {
        return Judgement::UP;
    }
    let telling = match op {
        Op::Lacks | Op::Ne => lines.iter().find(|seen| !line_holds(op, seen, value)),
        _ => lines.first(),
    };
    let seen = match telling {
        None => "was not sent".to_owned(),
        // A cause travels to pages and mailboxes, and a cookie opens somebody's session.
        Some(_) if name.eq_ignore_ascii_case("set-cookie") => "was another".to_owned(),
        Some(seen) => format!("was {}", quoted(seen)),
    };
    down(Code::HeaderMismatch, format!("the header {name} {seen}, expected {op} {}", quoted(value)))
}

/// Numbers compare as numbers, if both are; what is not finite is none.
fn line_holds(op: Op, seen: &str, value: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match op {
        Op::Contains => seen.contains(value),
        Op::Lacks => !seen.contains(value),
        _ => match (number(seen), number(value)) {
            (Some(seen), Some(value)) => op.holds(&seen, &value),
            _ => op.holds(seen, value),
        },
    }
}

fn body(attempt: &Attempt, op: Op, value: &str, fact: &Fact) -> Judgement {
    let found = matches!(fact, Fact::Found(true));
    let says = match (op, found) {
        (Op::Lacks, false) | (Op::Contains | Op::Matches, true) => return Judgement::UP,
        (Op::Lacks, true) => "contains",
        (Op::Matches, false) => "does not match",
        _ => "does not contain",
    };
    let whole = found || !attempt.answer().is_some_and(Answer::is_cut);
    let within = if whole { "" } else { " in its first 1 MiB" };
    down(Code::BodyMismatch, format!("the body {says} {}{within}", quoted(value)))
}

fn json(path: &str, op: Op, value: &JsonValue, fact: &Fact) -> Judgement {
    let seen = match fact {
        Fact::Value(seen) => seen,
        Fact::Missing(why) => return down(Code::JsonMismatch, format!("{path} in the body: {why}")),
        Fact::NotAsked | Fact::Found(_) => return down(Code::JsonMismatch, format!("{path} was not looked for")),
    };
    let holds = match (seen, value) {
        (JsonValue::Number(a), JsonValue::Number(b)) => op.holds(a, b),
        (JsonValue::Text(a), JsonValue::Text(b)) => op.holds(a, b),
        (a, b) => match op {
            Op::Eq => a == b,
            Op::Ne => a != b,
            _ => false,
        },
    };
    if holds {
        return Judgement::UP;
    }
    down(Code::JsonMismatch, format!("{path} in the body was {seen}, expected {op} {value}"))
}

fn time(attempt: &Attempt, op: Op, limit: Duration) -> Judgement {
    if op.holds(&attempt.took, &limit) {
        return Judgement::UP;
    }
    let text = format!("the answer took {} ms, expected {op} {}", attempt.took.as_millis(), format_duration(limit));
    Judgement::of(Verdict::Slow, Cause::new(Code::SlowResponse, text))
}

fn certificate(attempt: &Attempt, op: Op, left: Duration) -> Judgement {
    let Some(seen) = attempt.certificate() else {
        return down(Code::CertificateExpiring, "there was no certificate: the answer came over plain HTTP".into());
    };
    let remaining = seen.not_after.millis() - attempt.started.millis();
    if op.holds(&remaining, &millis(left)) {
        return Judgement::UP;
    }
    let text = format!("the certificate expires at {}, expected {op} {} left", seen.not_after, format_duration(left));
    down(Code::CertificateExpiring, text)
}

/// Values of other people, bounded so that a cause stays a sentence.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

impl fmt::Display for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(&quoted(value)),
            Self::Compound(value) => f.write_str(&quoted(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::observation::{Hop, HttpVersion, Phases, Request};

    #[test]
    fn a_status_set_reads_codes_and_ranges() {
        let set = StatusSet::parse("200-299, 401").unwrap();
        assert!(set.contains(204) && set.contains(401) && !set.contains(404));
        assert_eq!(set.to_string(), "200-299,401");
        for wrong in ["", "20", "299-200", "abc", "200-", "200,,201", "99", "600"] {
            assert!(StatusSet::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn answered(headers: &[(&str, &str)]) -> Attempt {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let answer = Answer { status: 200, version: HttpVersion::Http11, headers, body_bytes: 0, body: None };
        let request = Request { method: "GET".into(), url: "http://a.test/".into(), headers: Vec::new() };
        let hop = Hop { request, address: None, phases: Phases::default(), answer: Some(answer), certificate: None };
        let (started, took) = (Timestamp::EPOCH, Duration::ZERO);
        Attempt { started, took, hops: vec![hop], fault: None, facts: Vec::new() }
    }

    #[test]
    fn every_line_of_a_header_counts() {
        let attempt = answered(&[("X-A", "one"), ("x-a", "two"), ("X-N", "NaN"), ("X-M", "12")]);
        for (name, op, value, holds) in [
            ("x-a", Op::Contains, "tw", true),
            ("x-a", Op::Eq, "two", true),
            ("x-a", Op::Eq, "three", false),
            ("x-a", Op::Lacks, "tw", false),
            ("x-a", Op::Lacks, "three", true),
            ("x-a", Op::Ne, "two", false),
            ("x-absent", Op::Ne, "two", true),
            ("x-absent", Op::Contains, "", false),
            ("x-n", Op::Eq, "NaN", true),
            ("x-n", Op::Ne, "nan", true),
            ("x-m", Op::Gt, "9", true),
            ("x-m", Op::Lt, "inf", true),
        ] {
            let judged = header(&attempt, name, op, value, &Fact::NotAsked);
            assert_eq!(judged == Judgement::UP, holds, "{name} {op} {value}");
        }
        let text = header(&attempt, "x-a", Op::Lacks, "tw", &Fact::NotAsked).cause.unwrap().text;
        assert_eq!(text, r#"the header x-a was "two", expected lacks "tw""#);
        let cookie = answered(&[("Set-Cookie", "id=c00kie")]);
        let text = header(&cookie, "set-cookie", Op::Contains, "HttpOnly", &Fact::NotAsked).cause.unwrap().text;
        assert_eq!(text, r#"the header set-cookie was another, expected contains "HttpOnly""#);
    }

    #[test]
    fn a_body_that_was_cut_says_how_far_it_was_read() {
        let mut attempt = answered(&[]);
        let text = |attempt: &Attempt| body(attempt, Op::Contains, "up", &Fact::Found(false)).cause.unwrap().text;
        assert_eq!(text(&attempt), r#"the body does not contain "up""#);
        attempt.hops[0].answer.as_mut().unwrap().body_bytes = 1 << 20;
        assert_eq!(text(&attempt), r#"the body does not contain "up" in its first 1 MiB"#);
    }

    #[test]
    fn numbers_compare_as_numbers_and_unlike_kinds_are_never_equal() {
        let value = |n| Fact::Value(JsonValue::Number(n));
        assert_eq!(json("$.n", Op::Lt, &JsonValue::Number(10.0), &value(9.0)), Judgement::UP);
        let judged = json("$.n", Op::Eq, &JsonValue::Text("9".into()), &value(9.0));
        assert_eq!(judged.cause.unwrap().text, r#"$.n in the body was 9, expected == "9""#);
    }
}
