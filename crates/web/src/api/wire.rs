//! What travels, and how it becomes what the domain knows and back.
//!
//! Requests and answers share the structs of settings, so what an answer shows can be sent again. Secrets go in only:
//! an answer leaves credentials out and masks the values of headers that hold secrets.

mod assertion;
mod attempt;
mod channel;
mod count;
mod http;
mod incident;
mod list;
mod monitor;
mod quorum;
mod region;
mod rule;
mod span;
mod token;
mod uptime;

pub(crate) use attempt::{Attempt, Cause, Checked};
pub(crate) use channel::{Channel, ChannelPatch, ChannelSettings};
pub(crate) use count::Count;
pub(crate) use http::{MASK, is_secret_header};
pub(crate) use incident::{Delivery, Incident, IncidentStory, SentAgain};
pub(crate) use list::{List, is_id, page_of};
pub(crate) use monitor::{Monitor, MonitorPatch, MonitorSettings};
pub(crate) use quorum::Quorum;
pub(crate) use region::Region;
pub(crate) use rule::{Rule, RulePatch, RuleSettings};
pub(crate) use span::Span;
pub(crate) use token::{Token, TokenRequest};
pub(crate) use uptime::{LONGEST as LONGEST_WINDOW, Uptime};
