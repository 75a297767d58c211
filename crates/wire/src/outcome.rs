//! What came of one attempt to send.

use std::time::Duration;

use gazer_domain::delivery as domain;
use gazer_domain::time::millis;
use serde::{Deserialize, Serialize};

use crate::Unreadable;

#[derive(Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case", deny_unknown_fields)]
enum Outcome {
    Delivered { receipt: String },
    Retry { why: String, after_ms: Option<u64> },
    Refused { why: String },
}

pub fn to_json(outcome: &domain::Outcome) -> String {
    crate::write(&match outcome.clone() {
        domain::Outcome::Delivered { receipt } => Outcome::Delivered { receipt },
        domain::Outcome::Retry { why, after } => {
            Outcome::Retry { why, after_ms: after.map(|after| millis(after).unsigned_abs()) }
        }
        domain::Outcome::Refused { why } => Outcome::Refused { why },
    })
}

pub fn from_json(text: &str) -> Result<domain::Outcome, Unreadable> {
    Ok(match crate::read(text)? {
        Outcome::Delivered { receipt } => domain::Outcome::Delivered { receipt },
        Outcome::Retry { why, after_ms } => domain::Outcome::Retry { why, after: after_ms.map(Duration::from_millis) },
        Outcome::Refused { why } => domain::Outcome::Refused { why },
    })
}
