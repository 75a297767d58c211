//! What goes wrong, and how often.

use super::time::True;
use gazer_testkit::chance::Chance;

/// Odds are "once in"; `u64::MAX` is never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    /// Packets, sent again after the time that TCP would wait.
    pub(crate) packet_lost: u64,
    /// Messages between functions.
    pub(crate) message_dropped: u64,
    pub(crate) message_doubled: u64,
    pub(crate) message_late: u64,
    /// A receiver that answers 503, or takes the message and never answers.
    pub(crate) receiver_fails: u64,
    /// The process dies in the middle of a message that an owner takes, or the operator.
    pub(crate) dies_telling: u64,
    pub(crate) dies_telling_operator: u64,
    /// In the whole day.
    pub(crate) crashes: u64,
    pub(crate) cuts: u64,
    pub(crate) jumps: u64,
    /// Stretches in which one of the receivers takes nothing, or answers too late.
    pub(crate) falls: u64,
    /// How often people change their minds in a day, about each monitor and about a rule.
    pub(crate) acts: u64,
    pub(crate) rule_edits: u64,
}

const NEVER: u64 = u64::MAX;
pub(crate) const DAY: True = 24 * 3_600_000;

impl Faults {
    pub(crate) fn none() -> Self {
        Self {
            packet_lost: 100,
            message_dropped: NEVER,
            message_doubled: NEVER,
            message_late: NEVER,
            receiver_fails: NEVER,
            dies_telling: NEVER,
            dies_telling_operator: NEVER,
            crashes: 0,
            cuts: 0,
            jumps: 0,
            falls: 0,
            acts: 0,
            rule_edits: 0,
        }
    }

    pub(crate) fn all() -> Self {
        Self {
            packet_lost: 100,
            message_dropped: 500,
            message_doubled: 200,
            message_late: 50,
            receiver_fails: 10,
            dies_telling: 400,
            dies_telling_operator: 3,
            crashes: 6,
            cuts: 2,
            jumps: 4,
            falls: 6,
            acts: 4,
            rule_edits: 24,
        }
    }

    /// Nothing of ours goes wrong on the way of a message.
    pub(crate) fn spare_messages(&self) -> bool {
        [self.message_dropped, self.receiver_fails, self.dies_telling].iter().all(|odds| *odds == NEVER)
    }
}

/// A stretch of true time in which our own network leads nowhere, or nothing of ours runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: True,
    pub(crate) until: True,
}

impl Stretch {
    pub(crate) fn touches(&self, from: True, until: True) -> bool {
        self.from < until && from < self.until
    }

    pub(crate) fn holds(&self, at: True) -> bool {
        (self.from..self.until).contains(&at)
    }

    pub(crate) fn length(&self) -> True {
        self.until - self.from
    }

    /// The part of it that lies in another.
    pub(crate) fn within(&self, other: &Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        (both.from < both.until).then_some(both)
    }
}

/// Stretches that lie in the day and do not touch, in order of time.
pub(crate) fn stretches(count: u64, shortest: True, longest: True, chance: &mut Chance) -> Vec<Stretch> {
    let share = DAY / count.max(1);
    (0..count)
        .map(|n| {
            let length = chance.between(shortest, longest + 1);
            let from = n * share + chance.between(share / 10, share - length - share / 10);
            Stretch { from, until: from + length }
        })
        .collect()
}
