//! What this process was told of itself by its deployment, beside what configures every Gazer.

use anyhow::Context;
use gazer_bus::seal::RegionKey;
use gazer_domain::Region;

/// Which function this is, and where it speaks.
#[derive(Debug)]
pub(crate) struct Own {
    /// As the registry calls it, or `web`.
    pub(crate) function: String,
    /// What the ARN of every topic begins with: the name of its function follows.
    pub(crate) topics: String,
    /// Of `plan`: regions that probe beside this one.
    pub(crate) regions: Vec<Region>,
    /// Of `send`: the table in which claims are taken up.
    pub(crate) claims: Option<String>,
    /// Of a prober: all that it has of the house.
    pub(crate) region_key: Option<RegionKey>,
}

impl Own {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let region_key = variable("GAZER_REGION_SECRET").map(|text| text.parse()).transpose();
        let regions = variable("GAZER_REGIONS").unwrap_or_default();
        let regions = regions.split(',').map(str::trim).filter(|name| !name.is_empty());
        let regions = regions.map(str::parse::<Region>).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            function: variable("GAZER_FUNCTION").context("GAZER_FUNCTION says which function this is")?,
            topics: variable("GAZER_TOPICS").context("GAZER_TOPICS says what the ARN of each topic begins with")?,
            regions: regions.context("GAZER_REGIONS names AWS regions, with commas between them")?,
            claims: variable("GAZER_CLAIMS"),
            region_key: region_key.context("GAZER_REGION_SECRET")?,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
