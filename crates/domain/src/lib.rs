//! What Gazer knows and decides.
//!
//! Everything here is pure: no IO, no async, no clock, no randomness. Time is an argument. The same functions judge in
//! production, in the tests and in the simulation, so what they decide can be replayed.
//!
//! The life of one check, in the words of this crate: a [`cadence`] says when a [`monitor`] is due; a probe brings back
//! an [`observation`]; [`verdict::judge`] says what it means; [`health::fold`] joins it to what was known, and answers
//! with what changes in its region; [`standing`] aggregates the regions, and says which [`period`]s end and begin;
//! [`incident::turn`] opens and closes incidents and numbers their events;
//! [`alert`] says who is to be told, and [`delivery`] when to try again. Whether we can see at all is for [`sight`],
//! and errors of our own for [`issue`].
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

pub mod access;
pub mod alert;
pub mod assertion;
pub mod cadence;
pub mod cause;
pub mod channel;
pub mod delivery;
pub mod guarantee;
pub mod health;
pub mod http;
pub mod id;
pub mod incident;
pub mod invalid;
pub mod issue;
pub mod monitor;
pub mod observation;
pub mod period;
pub mod quorum;
pub mod region;
pub mod share;
pub mod sight;
pub mod standing;
pub mod time;
pub mod uptime;
pub mod verdict;

pub use id::{ChannelId, DeliveryId, IncidentId, IssueId, MonitorId, RuleId, TeamId, TokenId, UserId};
pub use invalid::Invalid;
pub use quorum::Quorum;
pub use region::Region;
pub use time::Timestamp;
