//! Durations as people write them: `30s`, `1m30s`, `14d`.

use std::fmt;
use std::time::Duration;

use gazer_domain::time::{format_duration, parse_duration};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A duration: numbers with their units (ms, s, m, h, d), such as `30s` or `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, example = "30s", pattern = "^0$|^([0-9]+(ms|s|m|h|d))+$")]
pub(crate) struct Span(pub(crate) Duration);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration as text, such as \"30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        parse_duration(text).map(Span).map_err(E::custom)
    }
}
