//! Channels and alert rules.

use gazer_domain::alert::{Rule, RuleSettings};
use gazer_domain::channel::Target;
use gazer_domain::{ChannelId, RuleId, TeamId, Timestamp};

use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub target: Target,
    pub created: Timestamp,
}

impl Store {
    pub async fn channel_create(&self, team: TeamId, channel: &Channel) -> Result<()> {
        todo!()
    }

    pub async fn channel_get(&self, team: TeamId, channel: ChannelId) -> Result<Option<Channel>> {
        todo!()
    }

    /// By name, then by id.
    pub async fn channel_list(&self, team: TeamId) -> Result<Vec<Channel>> {
        todo!()
    }

    pub async fn channel_edit(
        &self,
        team: TeamId,
        channel: ChannelId,
        name: &str,
        target: &Target,
    ) -> Result<Option<Channel>> {
        todo!()
    }

    /// Takes it out of the rules that name it, and a rule that is left with no channel goes with it. What still waits
    /// for it is dead.
    pub async fn channel_delete(&self, team: TeamId, channel: ChannelId, now: Timestamp) -> Result<bool> {
        todo!()
    }

    /// `Error::Invalid` names the channel or monitor that the team does not have: `channels[1]`.
    pub async fn rule_create(&self, team: TeamId, rule: &Rule, now: Timestamp) -> Result<()> {
        todo!()
    }

    pub async fn rule_get(&self, team: TeamId, rule: RuleId) -> Result<Option<Rule>> {
        todo!()
    }

    /// By age.
    pub async fn rule_list(&self, team: TeamId) -> Result<Vec<Rule>> {
        todo!()
    }

    /// Refuses as `rule_create` does.
    pub async fn rule_edit(&self, team: TeamId, rule: RuleId, settings: &RuleSettings) -> Result<Option<Rule>> {
        todo!()
    }

    pub async fn rule_delete(&self, team: TeamId, rule: RuleId) -> Result<bool> {
        todo!()
    }
}
