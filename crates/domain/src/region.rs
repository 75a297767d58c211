//! A place that probes from, by the name that its operator gave it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Invalid;

const LONGEST: usize = 32;
/// Where one monitor may be checked from. An installation has a handful.
pub const MOST_REGIONS: usize = 20;

/// A name of lowercase letters, digits and hyphens: it is a word in subjects, labels and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Arc<str>);

impl Region {
    /// What a prober is called that nobody gave a name to.
    pub const LOCAL: &str = "local";

    pub fn local() -> Self {
        Self(Self::LOCAL.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
        if begins && text.len() <= LONGEST && text.bytes().all(is_plain) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new("region", "must be at most 32 lowercase letters, digits and hyphens, with a letter first"))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_of_a_subject() {
        for name in ["local", "eu-west-1", "a"] {
            assert_eq!(name.parse::<Region>().unwrap().as_str(), name);
        }
        for name in ["", "1a", "-a", "EU", "eu.west", "eu west", "*", "a23456789012345678901234567890123"] {
            assert_eq!(name.parse::<Region>().unwrap_err().field, "region", "{name:?}");
        }
    }
}
