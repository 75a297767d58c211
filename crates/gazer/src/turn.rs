//! Whose turn it is, where it is kept: a lease in PostgreSQL for each role that goes by the clock. The data folder of
//! SQLite belongs to one process anyway.

use std::sync::Arc;

use anyhow::Context;
use gazer_bus::hold::{self, Keeper, LENGTH, Lease};
use gazer_bus::{Failure, Role, Turns};
use gazer_store::{Location, Store};

use crate::chance;
use crate::config::Place;

/// Roles of which one process has the turn, with the name of its lease. The data folder keeps who had it, for the next
/// start: it need not wait for the lease of one that was killed.
const LEASES: [(Role, &str); 2] = [(Role::Plan, gazer_functions::CLOCK), (Role::Deliver, "deliver")];

#[derive(Debug)]
struct Kept {
    store: Store,
    name: &'static str,
    /// Of this life of this process, so that a new start is somebody else.
    holder: String,
}

/// Asked for by a process of which nothing is known yet.
pub(crate) fn lease(store: &Store, name: &'static str) -> Arc<dyn Lease> {
    Arc::new(Kept { store: store.clone(), name, holder: chance::secret() })
}

/// Asks for the turns of these roles from now on, where there may be others.
pub(crate) async fn of(store: &Store, place: &Place, roles: &[Role]) -> anyhow::Result<(Turns, Vec<Keeper>)> {
    let (mut turns, mut keepers) = (Turns::default(), Vec::new());
    if !matches!(place.location, Location::Postgres { .. }) {
        return Ok((turns, keepers));
    }
    for (role, name) in LEASES.into_iter().filter(|(role, _)| roles.contains(role)) {
        let lease = Kept { store: store.clone(), name, holder: chance::secret() };
        if place.has_folder() {
            let file = place.data.join(format!("{name}.holder"));
            if let Ok(holder) = std::fs::read_to_string(&file) {
                Kept { store: store.clone(), name, holder }.release().await?;
            }
            std::fs::write(&file, &lease.holder).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        let (hold, keeper) = hold::keep(Arc::new(lease));
        turns.share(role, hold);
        keepers.push(keeper);
    }
    Ok((turns, keepers))
}

#[async_trait::async_trait]
impl Lease for Kept {
    async fn renew(&self) -> Result<Option<i64>, Failure> {
        let renewed = self.store.lease_renew(self.name, &self.holder, LENGTH).await;
        renewed.map_err(|err| Failure::new(format!("renew the lease {:?}", self.name), err))
    }

    async fn want(&self) -> Result<(), Failure> {
        let wanted = self.store.lease_want(self.name, &self.holder).await;
        wanted.map_err(|err| Failure::new(format!("wait for the lease {:?}", self.name), err))
    }

    async fn is_wanted(&self) -> Result<bool, Failure> {
        let wanted = self.store.lease_wanted(self.name, &self.holder, LENGTH).await;
        wanted.map_err(|err| Failure::new(format!("ask who waits for the lease {:?}", self.name), err))
    }

    async fn release(&self) -> Result<(), Failure> {
        let released = self.store.lease_release(self.name, &self.holder).await;
        released.map_err(|err| Failure::new(format!("release the lease {:?}", self.name), err))
    }
}
