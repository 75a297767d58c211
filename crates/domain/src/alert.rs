//! Who is to be told of an event: alert rules.
//!
//! A rule tells at once, or only if the trouble lasts. A rule that waited and never fired tells of no recovery, and
//! whoever was told of a start is told of its end: what a rule said of ends when it told is kept with the message, so
//! a rule that is changed or deleted during an incident takes back no promise.

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
    Regional,
    Slow,
    Recovered,
}

impl Trigger {
    pub const ALL: [Self; 4] = [Self::Down, Self::Regional, Self::Slow, Self::Recovered];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Regional => "regional",
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
            EventKind::Regional => Self::Regional,
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
        if self.on.iter().all(|on| *on == Trigger::Recovered) {
            return Err(Invalid::new(
                "on",
                "must hold down, regional or slow: a recovery is told to whoever was told of the start",
            ));
        }
        if self.after > LONGEST_WAIT {
            return Err(Invalid::new("after", "must be at most 24h"));
        }
        Ok(())
    }

    /// Whether the rule has something to say about such an event of that monitor.
    pub fn concerns(&self, event: EventKind, monitor: MonitorId) -> bool {
        self.on.contains(&Trigger::of(event)) && self.covers(monitor)
    }

    pub fn covers(&self, monitor: MonitorId) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Some(monitors) => monitors.contains(&monitor),
        }
    }
}

/// A channel that is told of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    pub channel: ChannelId,
    /// Whether the rule that told it tells of the end as well.
    pub hears_end: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Each channel once, however many rules name it.
    pub now: Vec<Listener>,
    /// Rules to be looked at again at that instant, if the incident is still open.
    pub later: Vec<(RuleId, Timestamp)>,
}

/// Who is told that trouble began or grew at `at`; `earlier` are the events that its incident had before.
///
/// A rule that waits counts from the first event that concerns it: a site that was slow for an hour is down only now.
pub fn on_trouble(
    event: EventKind,
    at: Timestamp,
    earlier: &[(EventKind, Timestamp)],
    monitor: MonitorId,
    rules: &[Rule],
) -> Told {
    let mut told = Told::default();
    for rule in concerned(event, monitor, rules) {
        if rule.settings.after.is_zero() {
            add(&mut told.now, listeners(&rule.settings));
            continue;
        }
        let first = earlier.iter().find(|(kind, _)| rule.settings.on.contains(&Trigger::of(*kind)));
        let from = first.map_or(at, |(_, since)| *since);
        told.later.push((rule.id, from + rule.settings.after));
    }
    told
}

/// Whom a rule tells.
pub fn listeners(rule: &RuleSettings) -> impl Iterator<Item = Listener> {
    let hears_end = rule.on.contains(&Trigger::Recovered);
    rule.channels.iter().map(move |channel| Listener { channel: *channel, hears_end })
}

/// Who is told that it is over: channels that were told of its start and of which a rule said, or says by now, that
/// they hear of ends.
pub fn on_end(event: EventKind, monitor: MonitorId, rules: &[Rule], told: &[Listener]) -> Vec<ChannelId> {
    let says_so_now =
        |channel: ChannelId| concerned(event, monitor, rules).any(|rule| rule.settings.channels.contains(&channel));
    told.iter().filter(|told| told.hears_end || says_so_now(told.channel)).map(|told| told.channel).collect()
}

fn concerned(event: EventKind, monitor: MonitorId, rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    rules.iter().filter(move |rule| rule.settings.concerns(event, monitor))
}

fn add(told: &mut Vec<Listener>, more: impl Iterator<Item = Listener>) {
    for one in more {
        match told.iter_mut().find(|known| known.channel == one.channel) {
            Some(known) => known.hears_end |= one.hears_end,
            None => told.push(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: u128, on: &[Trigger], channels: &[u128], after: Duration) -> Rule {
        let settings = RuleSettings {
            name: "a rule".into(),
            scope: Scope::All,
            channels: channels.iter().copied().map(ChannelId::from_bits).collect(),
            on: on.to_vec(),
            after,
        };
        Rule { id: RuleId::from_bits(id), settings }
    }

    fn listener(channel: u128, hears_end: bool) -> Listener {
        Listener { channel: ChannelId::from_bits(channel), hears_end }
    }

    const SITE: MonitorId = MonitorId::from_bits(1);
    const AT_ONCE: Duration = Duration::ZERO;
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_channel_is_told_once_and_hears_the_end_if_any_rule_says_so() {
        let rules = [
            rule(1, &[Trigger::Down], &[7, 8], AT_ONCE),
            rule(2, &[Trigger::Down, Trigger::Recovered], &[8, 9], AT_ONCE),
            rule(3, &[Trigger::Slow, Trigger::Recovered], &[10], AT_ONCE),
        ];
        let at = Timestamp::from_millis(5);
        let told = on_trouble(EventKind::Down, at, &[], SITE, &rules);
        assert_eq!(told.now, [listener(7, false), listener(8, true), listener(9, true)]);
        assert_eq!(on_end(EventKind::Recovered, SITE, &rules, &told.now), [8, 9].map(ChannelId::from_bits));
    }

    #[test]
    fn a_rule_that_is_gone_or_changed_keeps_its_word_and_may_give_more() {
        let told = [listener(7, true), listener(8, false)];
        assert_eq!(on_end(EventKind::Paused, SITE, &[], &told), [ChannelId::from_bits(7)]);
        let now = [rule(1, &[Trigger::Down, Trigger::Recovered], &[8, 9], AT_ONCE)];
        assert_eq!(on_end(EventKind::Recovered, SITE, &now, &told), [7, 8].map(ChannelId::from_bits));
    }

    #[test]
    fn a_rule_that_waits_counts_from_what_concerns_it() {
        let rules = [
            rule(1, &[Trigger::Down], &[7], MINUTE),
            rule(2, &[Trigger::Down, Trigger::Slow], &[7], MINUTE),
            rule(3, &[Trigger::Down, Trigger::Regional], &[7], MINUTE),
        ];
        let [slow, regional, down] = [0, 20_000, 50_000].map(Timestamp::from_millis);
        let earlier = [(EventKind::Slow, slow), (EventKind::Regional, regional)];
        let told = on_trouble(EventKind::Down, down, &earlier, SITE, &rules);
        let due = [(1, down), (2, slow), (3, regional)].map(|(rule, from)| (RuleId::from_bits(rule), from + MINUTE));
        assert_eq!((told.now.len(), told.later), (0, due.to_vec()));
    }
}
