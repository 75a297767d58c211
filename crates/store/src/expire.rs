//! Retention.

use std::time::Duration;

use gazer_domain::Timestamp;

use crate::{Result, Store};

/// Rows removed by one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    pub checks: u64,
    pub sessions: u64,
    pub requests: u64,
    pub deliveries: u64,
    pub incidents: u64,
    pub periods: u64,
    pub monitors: u64,
}

impl Store {
    /// Removes what is older than its retention, at most `limit` rows of each kind; `retention` is that of checks.
    pub async fn expire(&self, now: Timestamp, retention: Duration, limit: u32) -> Result<Expired> {
        todo!()
    }
}
