//! A whole observation, as the answer to "check now" keeps it for an hour.

use std::time::Duration;

use gazer_domain::observation as domain;
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{Timestamp, cause};
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Cause};
use crate::{Unreadable, micros, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Observation {
    monitor: String,
    revision: u32,
    slot_ms: i64,
    started_ms: i64,
    took_us: u64,
    verdict: String,
    cause: Option<Cause>,
    phases_us: [u32; 6],
    certificate_until_ms: Option<i64>,
    attempts: Vec<Attempt>,
}

pub fn to_json(seen: &domain::Observation) -> String {
    crate::write(&Observation {
        monitor: seen.monitor.to_string(),
        revision: seen.revision,
        slot_ms: seen.slot.millis(),
        started_ms: seen.started.millis(),
        took_us: micros(seen.took),
        verdict: seen.judgement.verdict.as_str().to_owned(),
        cause: seen.judgement.cause.as_ref().map(Cause::from),
        phases_us: seen.phases.in_order(),
        certificate_until_ms: seen.certificate_until.map(Timestamp::millis),
        attempts: seen.attempts.iter().map(Attempt::from).collect(),
    })
}

pub fn from_json(text: &str) -> Result<domain::Observation, Unreadable> {
    let wire: Observation = crate::read(text)?;
    let [dns, connect, tls, send, first_byte, download] = wire.phases_us;
    let verdict = Verdict::parse(&wire.verdict).ok_or_else(|| format!("{:?} is no verdict", wire.verdict))?;
    Ok(domain::Observation {
        monitor: parsed(&wire.monitor)?,
        revision: wire.revision,
        slot: Timestamp::from_millis(wire.slot_ms),
        started: Timestamp::from_millis(wire.started_ms),
        took: Duration::from_micros(wire.took_us),
        judgement: Judgement { verdict, cause: wire.cause.map(cause::Cause::try_from).transpose()? },
        phases: domain::Phases { dns, connect, tls, send, first_byte, download },
        certificate_until: wire.certificate_until_ms.map(Timestamp::from_millis),
        attempts: wire.attempts.into_iter().map(domain::Attempt::try_from).collect::<Result<_, _>>()?,
    })
}
