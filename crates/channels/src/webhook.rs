//! One POST to an address that a user chose.
//!
//! The body says what happened and never changes; the headers say which delivery it is and sign it. The receiver's
//! status decides: 2xx took it, 410 is gone for good, and everything else may yet come right, so it is tried again.
//! Redirects are not followed: a receiver that moved has to say so to a person, and the secret is not for whoever an
//! open redirect names.

pub(crate) mod body;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::channel::Notice;
use gazer_domain::delivery::Outcome;
use gazer_domain::time::humane_duration;
use gazer_domain::{DeliveryId, Timestamp};
use gazer_probes::{Prober, Receipt};
use url::Url;

use crate::{ATTEMPT, quoted, signature};

/// The receiver's way to say: never again. Standard Webhooks 1.0, "Deliverability and reliability".
const GONE: u16 = 410;

pub(crate) async fn send(
    prober: &Prober,
    id: &DeliveryId,
    url: &Url,
    secret: &[u8],
    notice: &Notice,
    now: Timestamp,
) -> Outcome {
    post(prober, id, url, secret, body::of(notice), now).await
}

/// One signed message, whatever it says.
pub(crate) async fn post(
    prober: &Prober,
    id: &DeliveryId,
    url: &Url,
    secret: &[u8],
    body: Vec<u8>,
    now: Timestamp,
) -> Outcome {
    let headers = headers(id, secret, &body, now);
    let answer = prober.post(url, &headers, body, ATTEMPT).await;
    match answer {
        // Only an operator or another URL changes this. Where an allowed name leads may change by itself.
        Err(Cause { code: Code::EgressDenied, text }) if prober.door().judge(url).is_err() => {
            Outcome::Refused { why: text }
        }
        answer => outcome(answer),
    }
}

fn headers(id: &DeliveryId, secret: &[u8], body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let timestamp = now.millis().div_euclid(1_000);
    let pairs = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature::sign(secret, id.as_str(), timestamp, body)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn outcome(answer: Result<Receipt, Cause>) -> Outcome {
    let receipt = match answer {
        Ok(receipt) => receipt,
        Err(cause) => return Outcome::Retry { why: cause.text, after: None },
    };
    match receipt.status {
        200..=299 => Outcome::Delivered { receipt: described(&receipt) },
        GONE => Outcome::Refused { why: format!("the receiver is gone for good: {}", described(&receipt)) },
        _ => Outcome::Retry { why: described(&receipt), after: receipt.retry_after },
    }
}

fn described(receipt: &Receipt) -> String {
    let answer = format!("HTTP {} in {}", receipt.status, humane_duration(receipt.took));
    match quoted(&receipt.body_excerpt) {
        excerpt if excerpt.is_empty() => answer,
        excerpt => format!("{answer}: {excerpt}"),
    }
}

#[cfg(test)]
mod tests;
