//! Evidence is bounded: what one check brings back is at most [`EVIDENCE_BYTES`], whatever sites send.
//!
//! Every attempt has an equal share, and within it the last hop comes first: it is the one that was judged. Headers go
//! before bodies. What does not fit is cut, and a cut body says so.
//!
//! It holds no secrets: cookies that a site sets keep their names and lose their values, and what the monitor itself sent
//! in confidence is masked where a site repeats it.

use gazer_domain::observation::{Answer, Attempt, Excerpt, Fact, Hop, JsonValue};

/// Over all attempts of one check.
pub(crate) const EVIDENCE_BYTES: usize = 64 * 1024;
/// One header's value; a longer one is cut.
const VALUE_BYTES: usize = 1_024;
/// A fault's sentence, which is bounded where it is made.
const FAULT_BYTES: usize = 2_048;
/// Headers of one answer that are kept.
const HEADER_LINES: usize = 64;

const MASK: &str = "•••";

/// Masks cookies, and these secrets wherever a site repeats them.
pub(crate) fn mask(attempts: &mut [Attempt], secrets: &[String]) {
    for attempt in attempts {
        if let Some(fault) = &mut attempt.fault {
            mask_secrets(&mut fault.text, secrets);
        }
        for fact in &mut attempt.facts {
            if let Fact::Value(JsonValue::Text(text) | JsonValue::Compound(text)) | Fact::Missing(text) = fact {
                mask_secrets(text, secrets);
            }
        }
        for answer in attempt.hops.iter_mut().filter_map(|hop| hop.answer.as_mut()) {
            for (name, value) in &mut answer.headers {
                if name.eq_ignore_ascii_case("set-cookie") {
                    *value = masked_cookie(value);
                }
                mask_secrets(value, secrets);
            }
            if let Some(body) = &mut answer.body {
                mask_secrets(&mut body.text, secrets);
            }
        }
    }
}

pub(crate) fn mask_secrets(text: &mut String, secrets: &[String]) {
    for secret in secrets {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), MASK);
        }
    }
}

/// `id=secret; Path=/` (RFC 6265 §4.1): the name and the attributes say what there is to know.
fn masked_cookie(cookie: &str) -> String {
    let (pair, attributes) = cookie.split_at(cookie.find(';').unwrap_or(cookie.len()));
    let name = pair.split_once('=').map_or("", |(name, _)| name);
    format!("{name}={MASK}{attributes}")
}

/// Cuts the attempts down to the bound.
pub(crate) fn bound(attempts: &mut [Attempt]) {
    let share = EVIDENCE_BYTES / attempts.len().max(1);
    for attempt in attempts {
        let mut left = share;
        if let Some(fault) = &mut attempt.fault {
            cut(&mut fault.text, FAULT_BYTES, &mut left);
        }
        for fact in &mut attempt.facts {
            bound_fact(fact, &mut left);
        }
        for hop in attempt.hops.iter_mut().rev() {
            bound_hop(hop, &mut left);
        }
    }
}

fn bound_hop(hop: &mut Hop, left: &mut usize) {
    cut(&mut hop.request.url, 2 * VALUE_BYTES, left);
    bound_headers(&mut hop.request.headers, left);
    if let Some(certificate) = &mut hop.certificate {
        cut(&mut certificate.subject, VALUE_BYTES, left);
        cut(&mut certificate.issuer, VALUE_BYTES, left);
        for name in &mut certificate.names {
            cut(name, VALUE_BYTES, left);
        }
        certificate.names.retain(|name| !name.is_empty());
    }
    if let Some(Answer { headers, body, .. }) = &mut hop.answer {
        bound_headers(headers, left);
        if let Some(excerpt) = body {
            bound_excerpt(excerpt, left);
        }
    }
}

fn bound_headers(headers: &mut Vec<(String, String)>, left: &mut usize) {
    headers.truncate(HEADER_LINES);
    for (name, value) in headers.iter_mut() {
        cut(name, VALUE_BYTES, left);
        cut(value, VALUE_BYTES, left);
    }
    headers.retain(|(name, _)| !name.is_empty());
}

fn bound_excerpt(excerpt: &mut Excerpt, left: &mut usize) {
    let before = excerpt.text.len();
    cut(&mut excerpt.text, usize::MAX, left);
    excerpt.truncated |= excerpt.text.len() < before;
}

fn bound_fact(fact: &mut Fact, left: &mut usize) {
    match fact {
        Fact::Value(JsonValue::Text(text) | JsonValue::Compound(text)) | Fact::Missing(text) => {
            cut(text, VALUE_BYTES, left);
        }
        Fact::Value(_) | Fact::NotAsked | Fact::Found(_) => {}
    }
}

/// Cuts at a character's edge, and takes what stays from the share.
fn cut(text: &mut String, most: usize, left: &mut usize) {
    let end = text.floor_char_boundary(most.min(*left));
    text.truncate(end);
    *left -= end;
}

#[cfg(test)]
mod tests {
    use super::*;
    use gazer_domain::Timestamp;
    use gazer_domain::cause::{Cause, Code};
    use gazer_domain::observation::{HttpVersion, Phases, Request};
    use std::time::Duration;

    #[test]
    fn whatever_a_site_sends_three_attempts_fit_the_bound() {
        let long = "é".repeat(40_000);
        let answer = Answer {
            status: 500,
            version: HttpVersion::Http11,
            headers: vec![("set-cookie".into(), long.clone()); 90],
            body_bytes: 80_000,
            body: Some(Excerpt { text: long.clone(), truncated: false }),
        };
        let request = Request { method: "GET".into(), url: "http://a.test/".into(), headers: Vec::new() };
        let hop = Hop { request, address: None, phases: Phases::default(), answer: Some(answer), certificate: None };
        let attempt = Attempt {
            started: Timestamp::EPOCH,
            took: Duration::ZERO,
            hops: vec![hop; 3],
            fault: Some(Cause::new(Code::BadRedirect, long.clone())),
            facts: vec![Fact::Value(JsonValue::Text(long))],
        };
        let mut attempts = vec![attempt; 3];
        bound(&mut attempts);
        let sizes = attempts.iter().flat_map(|attempt| &attempt.hops).flat_map(|hop| &hop.answer).map(|answer| {
            let headers: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            headers + answer.body.as_ref().map_or(0, |body| body.text.len())
        });
        let faults: usize = attempts.iter().flat_map(|attempt| &attempt.fault).map(|fault| fault.text.len()).sum();
        assert!(sizes.sum::<usize>() + faults <= EVIDENCE_BYTES);
        assert!(
            attempts.iter().all(|attempt| attempt.hops.last().unwrap().answer.as_ref().unwrap().headers.len() > 10)
        );
    }
}
