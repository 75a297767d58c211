//! What waits on one topic: in the order in which it came, and fair where there is no room.
//!
//! A full queue drops. What is dropped is the newest of the team that has the most in it, so that a team that floods it
//! loses its own messages and nobody else's.

use std::sync::{Mutex, MutexGuard};

use gazer_domain::TeamId;
use gazer_domain::share::{Shares, Taken};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::message::Message;
use crate::receipt::Receipt;

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) published: Instant,
    pub(crate) message: Message,
    /// Of one that came from another process.
    pub(crate) receipt: Option<Receipt>,
}

impl Queued {
    pub(crate) fn new(message: Message) -> Self {
        Self { published: Instant::now(), message, receipt: None }
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Shares<Option<TeamId>, Queued>>,
    arrived: Notify,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: Mutex::new(Shares::new(most)), arrived: Notify::new() }
    }

    /// False if one had to be dropped, this one or another.
    pub(crate) fn push(&self, queued: Queued) -> bool {
        let taken = self.lock().take(queued.message.team(), queued);
        self.arrived.notify_one();
        matches!(taken, Taken::Free(_))
    }

    pub(crate) fn try_recv(&self) -> Option<Queued> {
        self.lock().pop_first()
    }

    /// For one consumer. Nothing is lost where the wait is broken off.
    pub(crate) async fn recv(&self) -> Queued {
        loop {
            let arrived = self.arrived.notified();
            if let Some(queued) = self.try_recv() {
                return queued;
            }
            arrived.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shares<Option<TeamId>, Queued>> {
        crate::lock(&self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::{MonitorId, Region, Timestamp};
    use gazer_testkit::sample::well;

    use super::*;
    use crate::message::Observed;

    fn seen(team: u128, monitor: u128) -> Queued {
        let observation = well(MonitorId::from_bits(monitor), Timestamp::EPOCH);
        let (region, team) = (Region::local(), TeamId::from_bits(team));
        Queued::new(Message::Observed(Box::new(Observed { region, observation, team, request: None })))
    }

    fn monitor(queued: Queued) -> u128 {
        let Message::Observed(seen) = queued.message else { panic!("only observations were published") };
        seen.observation.monitor.bits()
    }

    #[tokio::test]
    async fn a_team_that_floods_a_topic_loses_its_own_messages_only() {
        let queue = Queue::new(4);
        assert!((1..=4).all(|n| queue.push(seen(1, n))));
        assert!(!queue.push(seen(1, 5)), "it is full");
        assert!(!queue.push(seen(2, 6)), "it makes room by what the other team sent last");
        let mut waiting = Vec::new();
        while let Some(queued) = queue.try_recv() {
            waiting.push(monitor(queued));
        }
        assert_eq!(waiting, [1, 2, 3, 6]);
    }

    #[tokio::test]
    async fn who_waits_hears_of_what_comes() {
        let queue = Queue::new(4);
        let (got, _) = tokio::join!(queue.recv(), async { queue.push(seen(1, 7)) });
        assert_eq!(monitor(got), 7);
    }
}
