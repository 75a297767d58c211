//! The only crate that knows SQL.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]
#![expect(clippy::todo, unused_variables, dead_code, reason = "signatures first, so that others can build on them")]

mod alerts;
mod deliveries;
mod error;
mod expire;
mod history;
mod incidents;
mod judge;
mod members;
mod monitors;
mod page;
mod people;
mod plan;
mod requests;
mod seal;
mod store;

pub use alerts::Channel;
pub use deliveries::{Claimed, DeliveryView, Settled};
pub use error::{Error, Result};
pub use expire::Expired;
pub use history::{CheckRow, Kept};
pub use incidents::{Evidence, IncidentFilter, IncidentStory, IncidentView};
pub use judge::{Advance, OpenIncident, Track, Tx};
pub use monitors::{LastCheck, MonitorFilter, MonitorView, Totals};
pub use page::{Listed, Page};
pub use people::{Principal, Token, User};
pub use plan::Planned;
pub use seal::SealingKey;
pub use store::{Location, Options, Store};
