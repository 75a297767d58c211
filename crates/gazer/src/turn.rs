//! The clock's turn, where it is kept: a lease in PostgreSQL. The data folder of SQLite belongs to one process anyway.

use std::sync::Arc;

use anyhow::Context;
use gazer_bus::Failure;
use gazer_bus::hold::{self, Hold, Keeper, LENGTH, Lease};
use gazer_store::{Location, Store};

use crate::chance;
use crate::config::Place;

const NAME: &str = "clock";
/// Who had the turn from this data folder, for the next start: it need not wait for the lease of one that was killed.
const FILE: &str = "clock.holder";

#[derive(Debug)]
struct ClockLease {
    store: Store,
    /// Of this life of this process, so that a new start is somebody else.
    holder: String,
}

/// Asks for the turn from now on, where there may be others.
pub(crate) async fn of(store: &Store, place: &Place) -> anyhow::Result<(Hold, Option<Keeper>)> {
    let Location::Postgres(_) = place.location else { return Ok((Hold::alone(), None)) };
    let lease = ClockLease { store: store.clone(), holder: chance::secret() };
    let file = place.data.join(FILE);
    if let Ok(holder) = std::fs::read_to_string(&file) {
        ClockLease { store: store.clone(), holder }.release().await?;
    }
    std::fs::write(&file, &lease.holder).with_context(|| format!("{} cannot be written", file.display()))?;
    let (hold, keeper) = hold::keep(Arc::new(lease));
    Ok((hold, Some(keeper)))
}

#[async_trait::async_trait]
impl Lease for ClockLease {
    async fn renew(&self) -> Result<Option<i64>, Failure> {
        let renewed = self.store.lease_renew(NAME, &self.holder, LENGTH).await;
        renewed.map_err(|err| Failure::new("renew the clock's lease", err))
    }

    async fn release(&self) -> Result<(), Failure> {
        let released = self.store.lease_release(NAME, &self.holder).await;
        released.map_err(|err| Failure::new("release the clock's lease", err))
    }
}
