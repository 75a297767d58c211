//! Who is to be told of an event: alert rules.
//!
//! A rule tells at once, or only if the trouble lasts. A rule that waited and never fired tells of no recovery, and
//! whoever was told of a start is told of its end.

use std::time::Duration;

use crate::incident::EventKind;
use crate::monitor::validate_name;
use crate::{ChannelId, Invalid, MonitorId, RuleId, Timestamp};

const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
const MOST_CHANNELS: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    Some(Vec<MonitorId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    Down,
    Slow,
    Recovered,
}

impl Trigger {
    pub const ALL: [Self; 3] = [Self::Down, Self::Slow, Self::Recovered];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Recovered => "recovered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }

    /// Every end is told to those who want to hear of recoveries, also one by hand.
    pub const fn of(event: EventKind) -> Self {
        match event {
            EventKind::Down => Self::Down,
            EventKind::Slow => Self::Slow,
            EventKind::Recovered | EventKind::Paused | EventKind::Deleted => Self::Recovered,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: RuleId,
    pub settings: RuleSettings,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSettings {
    pub name: String,
    pub scope: Scope,
    pub channels: Vec<ChannelId>,
    pub on: Vec<Trigger>,
    pub after: Duration,
}

impl RuleSettings {
    pub fn validate(&self) -> Result<(), Invalid> {
        validate_name(&self.name)?;
        if self.channels.is_empty() || self.channels.len() > MOST_CHANNELS {
            return Err(Invalid::new("channels", "must name between 1 and 20 channels"));
        }
        if !self.on.iter().any(|on| matches!(on, Trigger::Down | Trigger::Slow)) {
            return Err(Invalid::new(
                "on",
                "must hold down or slow: a recovery is told to whoever was told of the start",
            ));
        }
        if self.after > LONGEST_WAIT {
            return Err(Invalid::new("after", "must be at most 24h"));
        }
        Ok(())
    }

    pub fn covers(&self, monitor: MonitorId) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Some(monitors) => monitors.contains(&monitor),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Each channel once, however many rules name it.
    pub now: Vec<ChannelId>,
    /// Rules to be looked at again at that instant, if the incident is still open.
    pub later: Vec<(RuleId, Timestamp)>,
}

/// Who is told that trouble began or grew. `started` is the incident's start: what a waiting rule counts from.
pub fn on_trouble(event: EventKind, started: Timestamp, monitor: MonitorId, rules: &[Rule]) -> Told {
    let mut told = Told::default();
    for rule in concerned(event, monitor, rules) {
        if rule.settings.after.is_zero() {
            add(&mut told.now, &rule.settings.channels);
        } else {
            told.later.push((rule.id, started + rule.settings.after));
        }
    }
    told
}

/// Who is told that it is over: channels that were told of its start, through a rule that tells of ends.
pub fn on_end(event: EventKind, monitor: MonitorId, rules: &[Rule], started_told: &[ChannelId]) -> Vec<ChannelId> {
    let mut channels = Vec::new();
    for rule in concerned(event, monitor, rules) {
        add(&mut channels, &rule.settings.channels);
    }
    channels.retain(|channel| started_told.contains(channel));
    channels
}

fn concerned(event: EventKind, monitor: MonitorId, rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    let trigger = Trigger::of(event);
    rules.iter().filter(move |rule| rule.settings.on.contains(&trigger) && rule.settings.covers(monitor))
}

fn add(channels: &mut Vec<ChannelId>, more: &[ChannelId]) {
    for channel in more {
        if !channels.contains(channel) {
            channels.push(*channel);
        }
    }
}
