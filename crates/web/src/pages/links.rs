//! Addresses of our own pages, so that a renamed one is renamed once.

use gazer_domain::{ChannelId, DeliveryId, IncidentId, IssueId, MonitorId, RuleId, TokenId};

pub(crate) const MONITORS: &str = "/monitors";
pub(crate) const MONITOR_NEW: &str = "/monitors/new";
pub(crate) const INCIDENTS: &str = "/incidents";
pub(crate) const ALERTS: &str = "/alerts";
pub(crate) const CHANNELS: &str = "/alerts/channels";
pub(crate) const UNDELIVERED: &str = "/alerts/undelivered";
pub(crate) const RULES: &str = "/alerts/rules";
pub(crate) const RULE_NEW: &str = "/alerts/rules/new";
pub(crate) const ACCOUNT: &str = "/account";
pub(crate) const ISSUES: &str = "/operator/issues";

pub(crate) fn monitor(id: MonitorId) -> String {
    format!("/monitors/{id}")
}

pub(crate) fn check(id: MonitorId, request: i64) -> String {
    format!("/monitors/{id}/checks/{request}")
}

pub(crate) fn incident(id: IncidentId) -> String {
    format!("/incidents/{id}")
}

pub(crate) fn channel(id: ChannelId) -> String {
    format!("/alerts/channels/{id}")
}

pub(crate) fn delivery(id: &DeliveryId) -> String {
    format!("/alerts/deliveries/{id}")
}

pub(crate) fn rule(id: RuleId) -> String {
    format!("/alerts/rules/{id}")
}

pub(crate) fn issue(id: IssueId) -> String {
    format!("/operator/issues/{id}")
}

pub(crate) fn token(id: TokenId) -> String {
    format!("/account/tokens/{id}")
}
