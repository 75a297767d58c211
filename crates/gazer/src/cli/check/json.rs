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

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_good_check_has_its_shape() {
        insta::assert_snapshot!(format!("{:#}", document(&samples::good())), @r#"
            {
              "attempts": [
                {
                  "address": "192.0.2.7:443",
                  "certificate": {
                    "issuer": "CN=Sample Authority",
                    "names": [
                      "example.com",
                      "www.example.com"
                    ],
                    "not_after": "2027-01-22T00:00:00.000Z"
                  },
                  "fault": null,
                  "http": {
                    "headers": {
                      "content-type": "text/html",
                      "vary": "Accept, Cookie"
                    },
                    "status": 200,
                    "version": "HTTP/2"
                  },
                  "phases": {
                    "connect": 16.1,
                    "dns": 12.3,
                    "download": 2.1,
                    "first_byte": 47.91,
                    "send": 0.09,
                    "tls": 21.5
                  }
                }
              ],
              "cause": null,
              "verdict": "up"
            }
        "#);
    }

    #[test]
    fn a_refused_check_has_its_shape() {
        insta::assert_snapshot!(document(&samples::refused()), @r#"{"attempts":[{"address":"192.0.2.7:80","certificate":null,"fault":{"code":"connection_refused","text":"192.0.2.7:80 refused the connection"},"http":null,"phases":{"connect":0.4,"dns":0.0,"download":0.0,"first_byte":0.0,"send":0.0,"tls":0.0}}],"cause":{"code":"connection_refused","text":"192.0.2.7:80 refused the connection"},"verdict":"down"}"#);
    }
}
