//! In how many of its regions a monitor must be down to be down.
//!
//! Only regions that reported count: what one of ours could not see is no vote, neither for nor against. Fewer than the
//! quorum is [`Status::Regional`](crate::period::Status::Regional), which [`standing`](crate::standing) tells from the
//! beginning of an outage.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;
use crate::region::MOST_REGIONS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quorum {
    Any,
    /// More than half.
    #[default]
    Majority,
    All,
    /// So many; all of them where fewer count.
    AtLeast(u8),
}

impl Quorum {
    /// How many of `counting` regions it takes.
    pub fn needed(self, counting: usize) -> usize {
        match self {
            Self::Any => 1,
            Self::Majority => counting / 2 + 1,
            Self::All => counting.max(1),
            Self::AtLeast(least) => usize::from(least).min(counting).max(1),
        }
    }
}

impl FromStr for Quorum {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let least = || text.parse::<u8>().ok().filter(|least| (1..=MOST_REGIONS).contains(&usize::from(*least)));
        match text {
            "any" => Ok(Self::Any),
            "majority" => Ok(Self::Majority),
            "all" => Ok(Self::All),
            _ => least().map(Self::AtLeast).ok_or_else(|| {
                Invalid::new("quorum", "must be any, majority, all, or a number of regions between 1 and 20")
            }),
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Majority => f.write_str("majority"),
            Self::All => f.write_str("all"),
            Self::AtLeast(least) => least.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_written_as_it_is_read() {
        for text in ["any", "majority", "all", "1", "20"] {
            assert_eq!(text.parse::<Quorum>().unwrap().to_string(), text);
        }
        for text in ["", "0", "21", "most", "ALL", "-1", "2.5"] {
            assert_eq!(text.parse::<Quorum>().unwrap_err().field, "quorum", "{text:?}");
        }
    }

    #[test]
    fn it_takes_as_many_as_it_says_and_never_more_than_count() {
        let needed = |quorum: Quorum| [1, 2, 3, 4, 5].map(|counting| quorum.needed(counting));
        assert_eq!(needed(Quorum::Any), [1; 5]);
        assert_eq!(needed(Quorum::Majority), [1, 2, 2, 3, 3]);
        assert_eq!(needed(Quorum::All), [1, 2, 3, 4, 5]);
        assert_eq!(needed(Quorum::AtLeast(3)), [1, 2, 3, 3, 3]);
    }
}
