//! What whoever probes is told of a monitor: an open part, and a secret one that is sealed.

use gazer_domain::monitor as domain;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Unreadable, parsed, raw, settings};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Brief {
    monitor: String,
    revision: u32,
    settings: Box<RawValue>,
}

/// The open part as JSON, and the secret one as bytes to seal, if there is any.
pub fn split(brief: &domain::Brief) -> (String, Option<Vec<u8>>) {
    let (open, secret) = settings::split(&brief.spec, brief.verify);
    let open = Brief { monitor: brief.id.to_string(), revision: brief.revision, settings: raw(open) };
    (crate::write(&open), secret)
}

pub fn join(open: &str, secret: Option<&[u8]>) -> Result<domain::Brief, Unreadable> {
    let Brief { monitor, revision, settings } = crate::read(open)?;
    let (spec, verify) = settings::join(settings.get(), secret)?;
    Ok(domain::Brief { id: parsed(&monitor)?, revision, spec, verify })
}
