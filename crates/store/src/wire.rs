//! How domain types are written inside a column: private structs in JSON, one file per column family.
//!
//! Reading is strict (`deny_unknown_fields`), so a row that another program wrote is an error that names it, never half
//! a monitor. Durations and instants carry their unit in the field's name. What is secret is not here: it is sealed in
//! a column of its own.

pub(crate) mod attempt;
pub(crate) mod code;
pub(crate) mod notice;
pub(crate) mod observation;
pub(crate) mod phases;
pub(crate) mod rule;
pub(crate) mod settings;
pub(crate) mod target;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a text in a column is not what it should be.
pub(crate) type Unreadable = String;

pub(crate) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire structs have string keys and finite numbers")
}

pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|err| err.to_string())
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|err: T::Err| format!("{text:?}: {err}"))
}
