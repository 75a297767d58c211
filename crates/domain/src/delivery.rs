//! When a message that did not get through is tried again, by itself or by hand.

use std::fmt;
use std::time::Duration;

/// Waits before the first and each further attempt: about three days in all, then the delivery is dead, and shown so.
pub const WAITS: [Duration; 12] = {
    const fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }
    [s(0), s(5), s(30), s(120), s(600), s(1_800), s(3_600), s(10_800), s(21_600), s(43_200), s(86_400), s(86_400)]
};

/// A service that asks for more patience than this is asked again then.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Between two tries before their time, at least.
const SHORTEST_REST: Duration = Duration::from_secs(60);
/// So many tries before its time fit into one wait.
const RESTS_IN_WAIT: u32 = 30;

/// What came of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered {
        receipt: String,
    },
    /// Worth another try, not before `after` if the service said so.
    Retry {
        why: String,
        after: Option<Duration>,
    },
    /// The service will never take it.
    Refused {
        why: String,
    },
}

/// How long to wait after `attempts` failed ones; `None` gives up. `jitter` is between 0 and 1 and moves the wait by
/// up to a fifth either way, so that a service that comes back is not met by everybody at once.
pub fn wait(attempts: u32, jitter: f64, asked: Option<Duration>) -> Option<Duration> {
    let planned = WAITS.get(attempts as usize)?;
    let moved = planned.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0));
    Some(moved.max(asked.unwrap_or_default()).min(LONGEST_WAIT.mul_f64(1.2)))
}

/// How long a message rests after a try, also where its channel takes others meanwhile: one that fails each time must
/// not knock without end. Tries before their time do not count, so it is not given up sooner for them.
pub fn rest(attempts: u32, asked: Option<Duration>) -> Duration {
    let planned = WAITS.get(attempts as usize).copied().unwrap_or_default();
    SHORTEST_REST.max(planned / RESTS_IN_WAIT).max(asked.unwrap_or_default()).min(LONGEST_WAIT)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Due now or later.
    Waiting,
    /// Claimed; if the claimant dies, its lease runs out and the delivery is claimed again under the same id.
    Leased,
    Delivered,
    /// Every attempt failed, or the service refused it for good.
    Dead,
    /// Its recovery came before it went out: one message told both.
    Merged,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Leased, Self::Delivered, Self::Dead, Self::Merged];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Merged => "merged",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a delivery is not sent again by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    NotDead(State),
    ChannelDeleted,
    /// A later message of its incident went, or goes, to its channel.
    ToldLater,
}

/// Only what is dead is sent again, while there is somebody to send it to, and as long as nothing later of its incident
/// went there: that told it as well, and after it an alert would come behind its recovery.
pub fn obstacle(state: State, channel_deleted: bool, told_later: bool) -> Option<Obstacle> {
    match state {
        State::Dead if channel_deleted => Some(Obstacle::ChannelDeleted),
        State::Dead if told_later => Some(Obstacle::ToldLater),
        State::Dead => None,
        state => Some(Obstacle::NotDead(state)),
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDead(State::Delivered) => "It was delivered.",
            Self::NotDead(State::Merged) => "A later message of its incident tells it.",
            Self::NotDead(_) => "It is on its way.",
            Self::ChannelDeleted => "Its channel was deleted, so it cannot be sent.",
            Self::ToldLater => "A later message of its incident went to the same channel, and tells it as well.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dead_are_sent_again_and_not_behind_later_news() {
        for state in State::ALL {
            let free = obstacle(state, false, false);
            assert_eq!(free, (state != State::Dead).then_some(Obstacle::NotDead(state)));
        }
        assert_eq!(obstacle(State::Dead, true, true), Some(Obstacle::ChannelDeleted));
        assert_eq!(obstacle(State::Dead, false, true), Some(Obstacle::ToldLater));
        assert_eq!(Obstacle::NotDead(State::Leased).to_string(), "It is on its way.");
    }

    #[test]
    fn what_is_tried_before_its_time_rests_in_between() {
        assert_eq!(rest(1, None), Duration::from_secs(60), "so the first failures are tried again as planned");
        assert_eq!(rest(5, None), Duration::from_secs(60), "of a wait of half an hour");
        assert_eq!(rest(11, None), Duration::from_secs(48 * 60), "of a day");
        assert_eq!(rest(5, Some(Duration::from_secs(900))), Duration::from_secs(900), "as the service asked");
        let tries: u64 =
            (0..12).map(|attempts| WAITS[attempts as usize].as_secs() / rest(attempts, None).as_secs()).sum();
        assert!(tries < 250, "{tries} in three days");
    }

    #[test]
    fn twelve_attempts_then_dead() {
        assert_eq!(wait(0, 0.5, None), Some(Duration::ZERO));
        assert_eq!(wait(1, 0.5, None), Some(Duration::from_secs(5)));
        assert_eq!(wait(1, 0.0, Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
        assert!(wait(11, 1.0, None).is_some());
        assert_eq!(wait(12, 0.5, None), None);
    }
}
