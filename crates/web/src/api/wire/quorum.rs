//! How many regions it takes: a word, or a number of them.

use std::fmt;

use gazer_domain::quorum as domain;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// `any`, `majority` (as unless told), `all`, or a number of regions between 1 and 20 as a text: `2`. Of fewer regions
/// that report than that number, all of them are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, example = "majority")]
pub(crate) struct Quorum(pub(crate) domain::Quorum);

impl Serialize for Quorum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Quorum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any, majority, all, or a number of regions between 1 and 20")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quorum, E> {
        text.parse().map(Quorum).map_err(|err: gazer_domain::Invalid| E::custom(err.message))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Quorum, E> {
        self.visit_str(&number.to_string())
    }
}
