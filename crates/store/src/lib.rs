//! The only crate that knows SQL.
//!
//! One [`Store`] over SQLite or PostgreSQL: rows in, domain types out. Its methods are grouped by what they are about,
//! one file each; what must commit together is a method of [`Tx`]. Every method that touches a team's rows takes its
//! `TeamId`, and another team's id looks exactly as one that never was.
//!
//! Below the methods lie three files: `sql` (values, rows, connections), `dialect` (what the engines spell differently)
//! and `store` (how they are opened). One text serves both engines, and one conformance suite (`tests/it`) runs all of
//! it on both. Domain types are written inside columns by `gazer-wire`; secrets are closed by `seal`.
//!
//! What a crash does: a transaction is there or it is not. What is told to people is a row of the same transaction as
//! the fact (`judge/tell.rs`), so no event can be committed untold, and leases run out by themselves.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod alerts;
mod cadences;
mod dead;
mod deliveries;
mod dialect;
mod error;
mod expire;
mod history;
mod incidents;
mod issues;
mod judge;
mod key_check;
mod lease;
mod members;
mod migrate;
mod monitors;
mod operator;
mod page;
mod people;
mod plan;
mod regions;
mod requests;
mod seal;
mod set_back;
mod sight;
mod sql;
mod status;
mod store;
mod trouble;
mod waits;
mod wire;

pub use alerts::Channel;
pub use dead::Again;
pub use deliveries::{Claimed, DeliveryView, Settled, Settlement};
pub use error::{Error, Result};
pub use expire::Expired;
pub use history::{CheckRow, Kept};
pub use incidents::{Evidence, IncidentFilter, IncidentStory, IncidentView};
pub use issues::{ClaimedNews, IssueStory};
pub use judge::{Advance, OpenIncident, Track, Tx, Watch};
pub use lease::Word;
pub use monitors::{LastCheck, MonitorFilter, MonitorView, RegionHealth, Totals};
pub use operator::Installation;
pub use page::{Listed, Page};
pub use people::{Principal, Token, User};
pub use plan::Planned;
pub use regions::Place;
pub use requests::Answer;
pub use seal::SealingKey;
pub use sight::{Overdue, TrackedEpisode};
pub use store::{Location, Options, Store};
