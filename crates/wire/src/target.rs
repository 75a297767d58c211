//! Where a channel leads: an open part, and a secret one that is sealed.

use gazer_domain::channel::Target;
use serde::{Deserialize, Serialize};

use crate::{Unreadable, parsed};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Open {
    Webhook { url: String },
    Email { to: Vec<String> },
}

/// The open part as JSON, and the secret one as bytes to seal.
pub fn split(target: &Target) -> (String, Option<Vec<u8>>) {
    match target {
        Target::Webhook { url, secret } => {
            (crate::write(&Open::Webhook { url: url.to_string() }), Some(secret.clone()))
        }
        Target::Email { to } => (crate::write(&Open::Email { to: to.clone() }), None),
    }
}

pub fn join(open: &str, secret: Option<Vec<u8>>) -> Result<Target, Unreadable> {
    match crate::read(open)? {
        Open::Webhook { url } => Ok(Target::Webhook { url: parsed(&url)?, secret: secret.ok_or("has no secret")? }),
        Open::Email { to } => Ok(Target::Email { to }),
    }
}
