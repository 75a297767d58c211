//! Messages as they travel between processes: JSON, versioned by the topic's name. Secrets are sealed to whom they are
//! for; the region of what was seen is the subject's and is not written.

use std::ops::Not;
use std::sync::Arc;

use gazer_domain::{DeliveryId, Region, TeamId, Timestamp};
use gazer_wire::{Unreadable, brief, issue, look, notice, observation, outcome, parsed, raw, read, target, write};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::message::{CheckBatch, Due, Message, Observed, Occasion, Send, Sent, Topic};
use crate::seal::{Recipient, Seals, Unsealed};
use crate::subject::subject;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    epoch: i64,
    deadline_ms: i64,
    due: Vec<One>,
    /// The secret parts of the monitors in order, empty where there is none.
    sealed: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    monitor: Box<RawValue>,
    team: String,
    slot_ms: i64,
    occasion: Why,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Why {
    Slot,
    Change,
    Request(i64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saw {
    team: String,
    request: Option<i64>,
    observation: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claimed {
    delivery: String,
    epoch: i64,
    until_ms: i64,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Not::not")]
    early: bool,
    target: Box<RawValue>,
    sealed: Option<String>,
    notice: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    delivery: String,
    epoch: i64,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Not::not")]
    early: bool,
    outcome: Box<RawValue>,
}

/// Who can read the secrets of a topic.
fn recipient(topic: Topic, region: &Region) -> Recipient {
    if topic == Topic::Send { Recipient::Senders } else { Recipient::Region(region.clone()) }
}

/// A monitor that asks for all that it may is larger than this, and travels by itself.
const PORTION_BYTES: usize = 128 * 1024;

/// One message, as items of the array that travels: one, but for more checks than a portion.
pub(crate) fn encode(
    message: &Message,
    region: &Region,
    seals: &Seals,
    portion: usize,
) -> Result<Vec<String>, Unsealed> {
    let topic = message.topic();
    let seal = |secret: &[u8]| seals.seal(&recipient(topic, region), &subject(topic, region), secret);
    let item = match message {
        Message::Check(batch) => {
            let portions = portions(&batch.due, portion).into_iter().map(|portion| {
                let (due, secrets): (Vec<_>, Vec<_>) = portion.into_iter().unzip();
                let is_secret = secrets.iter().any(|secret| !secret.is_empty());
                let sealed = is_secret.then(|| seal(write(&secrets).as_bytes())).transpose()?;
                Ok(write(&Checks { epoch: batch.epoch, deadline_ms: batch.deadline.millis(), due, sealed }))
            });
            return portions.collect();
        }
        Message::Observed(seen) => write(&Saw {
            team: seen.team.to_string(),
            request: seen.request,
            observation: raw(observation::to_json(&seen.observation)),
        }),
        Message::Send(send) => {
            let (target, secret) = target::split(&send.target);
            write(&Claimed {
                delivery: send.delivery.to_string(),
                epoch: send.epoch,
                until_ms: send.until.millis(),
                attempts: send.attempts,
                early: send.early,
                target: raw(target),
                sealed: secret.map(|secret| seal(&secret)).transpose()?,
                notice: raw(notice::to_json(&send.notice)),
            })
        }
        Message::Sent(sent) => write(&Settled {
            delivery: sent.delivery.to_string(),
            epoch: sent.epoch,
            attempts: sent.attempts,
            early: sent.early,
            outcome: raw(outcome::to_json(&sent.outcome)),
        }),
        Message::Looked(said) => look::to_json(said),
        Message::Issue(report) => issue::to_json(report),
        Message::Plan | Message::Deliver => "null".into(),
    };
    Ok(vec![item])
}

/// Each check with the secret part of its monitor.
fn portions(due: &[Due], most: usize) -> Vec<Vec<(One, String)>> {
    let mut portions: Vec<Vec<(One, String)>> = Vec::new();
    let mut bytes = 0;
    for (one, secret) in due.iter().map(one) {
        let size = one.monitor.get().len() + secret.len();
        bytes += size;
        match portions.last_mut() {
            Some(portion) if portion.len() < most && bytes <= PORTION_BYTES => portion.push((one, secret)),
            _ => {
                portions.push(vec![(one, secret)]);
                bytes = size;
            }
        }
    }
    portions
}

fn one(due: &Due) -> (One, String) {
    let (monitor, secret) = brief::split(&due.monitor);
    let occasion = match due.occasion {
        Occasion::Slot => Why::Slot,
        Occasion::Change => Why::Change,
        Occasion::Request(key) => Why::Request(key),
    };
    let one = One { monitor: raw(monitor), team: due.team.to_string(), slot_ms: due.slot.millis(), occasion };
    // The secret part is JSON as well.
    (one, secret.map(|secret| String::from_utf8_lossy(&secret).into_owned()).unwrap_or_default())
}

/// What came on a topic, and on a region's subject where the topic has such.
pub(crate) fn decode(topic: Topic, region: &Region, text: &str, seals: &Seals) -> Result<Vec<Message>, Unreadable> {
    let open = |sealed: &str| {
        let opened = seals.open(&recipient(topic, region), &subject(topic, region), sealed);
        opened.map_err(|err| format!("its secret part does not open: {err}"))
    };
    let items: Vec<Box<RawValue>> = read(text)?;
    let message = |item: Box<RawValue>| match topic {
        Topic::Check => checks(read(item.get())?, region, open).map(Message::Check),
        Topic::Observed => {
            let Saw { team, request, observation } = read(item.get())?;
            let (team, observation) = (parsed(&team)?, observation::from_json(observation.get())?);
            Ok(Message::Observed(Box::new(Observed { region: region.clone(), observation, team, request })))
        }
        Topic::Send => {
            let Claimed { delivery, epoch, until_ms, attempts, early, target, sealed, notice } = read(item.get())?;
            let target = target::join(target.get(), sealed.map(|sealed| open(&sealed)).transpose()?)?;
            let (until, notice) = (Timestamp::from_millis(until_ms), notice::from_json(notice.get())?);
            Ok(Message::Send(Box::new(Send {
                delivery: DeliveryId::from_text(delivery),
                epoch,
                until,
                attempts,
                early,
                target,
                notice,
            })))
        }
        Topic::Sent => {
            let Settled { delivery, epoch, attempts, early, outcome } = read(item.get())?;
            let outcome = outcome::from_json(outcome.get())?;
            Ok(Message::Sent(Sent { delivery: DeliveryId::from_text(delivery), epoch, attempts, early, outcome }))
        }
        Topic::Looked => Ok(Message::Looked(Box::new(look::from_json(item.get(), region.clone())?))),
        Topic::Issue => Ok(Message::Issue(Box::new(issue::from_json(item.get(), region.clone())?))),
        Topic::Plan => Ok(Message::Plan),
        Topic::Deliver => Ok(Message::Deliver),
    };
    items.into_iter().map(message).collect()
}

fn checks(
    wire: Checks,
    region: &Region,
    open: impl Fn(&str) -> Result<Vec<u8>, Unreadable>,
) -> Result<CheckBatch, Unreadable> {
    let secrets: Vec<String> = match wire.sealed {
        Some(sealed) => serde_json::from_slice(&open(&sealed)?).map_err(|err| err.to_string())?,
        None => vec![String::new(); wire.due.len()],
    };
    if secrets.len() != wire.due.len() {
        return Err(format!("{} monitors have {} secret parts", wire.due.len(), secrets.len()));
    }
    let due = wire.due.into_iter().zip(secrets).map(|(one, secret)| {
        let secret = (!secret.is_empty()).then_some(secret.as_bytes());
        let team: TeamId = parsed(&one.team)?;
        let monitor = Arc::new(brief::join(one.monitor.get(), secret)?);
        let occasion = match one.occasion {
            Why::Slot => Occasion::Slot,
            Why::Change => Occasion::Change,
            Why::Request(key) => Occasion::Request(key),
        };
        Ok(Due { monitor, team, slot: Timestamp::from_millis(one.slot_ms), occasion })
    });
    let due = due.collect::<Result<_, Unreadable>>()?;
    let (region, deadline) = (region.clone(), Timestamp::from_millis(wire.deadline_ms));
    Ok(CheckBatch { region, epoch: wire.epoch, due, deadline })
}

#[cfg(test)]
mod tests;
