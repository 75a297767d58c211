//! Messages on their way.

use std::time::Duration;

use gazer_domain::channel::{Notice, Target};
use gazer_domain::delivery::State;
use gazer_domain::incident::EventKind;
use gazer_domain::{ChannelId, DeliveryId, TeamId, Timestamp};

use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub channel: ChannelId,
    pub channel_name: String,
    pub channel_kind: String,
    /// Number of the incident's event; 0 for a test.
    pub event: u32,
    /// `None` for a test.
    pub event_kind: Option<EventKind>,
    pub state: State,
    pub attempts: u32,
    /// When it is due, while it waits.
    pub next_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    /// The receipt, or the last error.
    pub receipt: Option<String>,
}

/// One delivery under a lease. Whoever settles it says the `epoch`, which fences out those whose lease ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: DeliveryId,
    pub epoch: i64,
    /// Failed attempts before this one.
    pub attempts: u32,
    pub target: Target,
    pub notice: Notice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Delivered { receipt: String },
    Again { at: Timestamp, why: String },
    Dead { why: String },
}

impl Store {
    /// Due deliveries, each the head of its line: a later event of the same incident waits until the earlier one is
    /// settled for that channel. Rows whose lease ran out are claimed again, under the same id and a new epoch.
    pub async fn deliveries_claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>> {
        todo!()
    }

    /// False if somebody else holds the lease by now, or if it was settled before: nothing changed.
    pub async fn delivery_settle(
        &self,
        id: &DeliveryId,
        epoch: i64,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<bool> {
        todo!()
    }

    /// Ends every lease. For the start of an installation of one process: nobody else can hold one.
    pub async fn leases_release(&self) -> Result<u64> {
        todo!()
    }

    /// False if the team has no such channel.
    pub async fn delivery_test(
        &self,
        team: TeamId,
        channel: ChannelId,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<bool> {
        todo!()
    }

    pub async fn delivery_get(&self, team: TeamId, id: &DeliveryId) -> Result<Option<DeliveryView>> {
        todo!()
    }

    /// When the next delivery becomes due, or the next lease runs out.
    pub async fn deliveries_next(&self) -> Result<Option<Timestamp>> {
        todo!()
    }

    /// Rules that wait, when their time has come: deliveries for incidents that are still open. How many were made.
    pub async fn waits_fire(&self, now: Timestamp) -> Result<u64> {
        todo!()
    }
}
