//! The result of a check as JSON. The shape is fixed: programs read it.

use gazer_domain::cause::Cause;
use gazer_domain::observation::{Answer, Attempt, Certificate, Observation, Phases};
use serde_json::{Map, Value, json};

pub(crate) fn document(seen: &Observation) -> Value {
    json!({
        "verdict": seen.judgement.verdict.as_str(),
        "cause": seen.judgement.cause.as_ref().map(cause),
        "attempts": seen.attempts.iter().map(attempt).collect::<Vec<_>>(),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "address": attempt.last().and_then(|hop| hop.address).map(|address| address.to_string()),
        "phases": phases(attempt.phases()),
        "http": attempt.answer().map(answer),
        "certificate": attempt.certificate().map(certificate),
        "fault": attempt.fault.as_ref().map(cause),
    })
}

/// Milliseconds, with the microseconds as a fraction.
fn phases(phases: Phases) -> Value {
    let ms = |us: u32| Value::from(f64::from(us) / 1_000.0);
    Phases::NAMES
        .iter()
        .zip(phases.in_order())
        .map(|(name, us)| ((*name).to_owned(), ms(us)))
        .collect::<Map<_, _>>()
        .into()
}

fn answer(answer: &Answer) -> Value {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        // A header that came several times means its values joined by commas (RFC 9110 §5.3).
        let known = headers.entry(name.to_ascii_lowercase()).or_insert(Value::Null);
        *known = match known.as_str() {
            Some(before) => Value::from(format!("{before}, {value}")),
            None => Value::from(value.as_str()),
        };
    }
    json!({ "status": answer.status, "version": answer.version.as_str(), "headers": headers })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "not_after": certificate.not_after.rfc3339(),
        "issuer": certificate.issuer,
        "names": certificate.names,
    })
}

fn cause(cause: &Cause) -> Value {
    json!({ "code": cause.code.as_str(), "text": cause.text })
}
