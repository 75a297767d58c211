//! How domain types are written where they leave the process, into a column or onto the bus: private structs in JSON,
//! one file per type.
//!
//! Reading is strict (`deny_unknown_fields`), so what another program wrote is an error that names it, never half a
//! monitor. Durations and instants carry their unit in the field's name. What is secret is never beside what is open:
//! [`settings::split`], [`brief::split`] and [`target::split`] hand it out as bytes, for whoever seals it.

pub mod attempt;
pub mod brief;
pub mod issue;
pub mod look;
pub mod notice;
pub mod observation;
pub mod outcome;
pub mod settings;
pub mod target;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Why a text is not what it should be.
pub type Unreadable = String;

/// # Panics
/// If a key is no text or a number is not finite, which no wire struct has.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire structs have string keys and finite numbers")
}

pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|err| err.to_string())
}

/// JSON inside of JSON, as it is.
///
/// # Panics
/// If it is no JSON, which nothing that [`write()`] made is.
pub fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("what was written as JSON is JSON")
}

pub fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|err: T::Err| format!("{text:?}: {err}"))
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
