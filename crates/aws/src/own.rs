//! What this process was told of itself by its deployment, beside what configures every Gazer.

use anyhow::Context;
use gazer_bus::seal::RegionKey;

/// Which function this is, and where it speaks.
#[derive(Debug)]
pub(crate) struct Own {
    /// As the registry calls it, or `web`.
    pub(crate) function: String,
    /// What the ARN of every topic begins with: the name of its function follows.
    pub(crate) topics: String,
    /// Of a prober: all that it has of the house.
    pub(crate) region_key: Option<RegionKey>,
}

impl Own {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let region_key = variable("GAZER_REGION_SECRET").map(|text| text.parse()).transpose();
        Ok(Self {
            function: variable("GAZER_FUNCTION").context("GAZER_FUNCTION says which function this is")?,
            topics: variable("GAZER_TOPICS").context("GAZER_TOPICS says what the ARN of each topic begins with")?,
            region_key: region_key.context("GAZER_REGION_SECRET")?,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
