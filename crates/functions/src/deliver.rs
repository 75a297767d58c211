//! deliver: claims deliveries that are due and hands them to `send`; settles what came of them.
//!
//! A delivery is a row, written in the transaction of the event it tells of. It is claimed by a lease with an epoch;
//! whoever settles it names the epoch, so an answer that comes after the lease was claimed again changes nothing.
//! Killed after a claim, the lease runs out and the delivery goes out again under the same id.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gazer_bus::crash::{self, Point};
use gazer_bus::function::Intake;
use gazer_bus::{Failure, Function, Message, Report, Role, Sent, Topic, Wake, Woken};
use gazer_domain::Timestamp;
use gazer_domain::delivery::{Outcome, rest, wait};
use gazer_domain::issue;
use gazer_store::{Settled, Settlement};

use crate::patience::patiently;
use crate::send::IN_FLIGHT;
use crate::{Parts, jitter};

/// The bell makes it fast, this poll makes it right.
const POLL: Duration = Duration::from_secs(1);
/// Longer than a send may take and than it waits for its turn, so that a lease never runs out under a living sender;
/// short, because it is how long a message is late whose sender died.
const LEASE: Duration = Duration::from_secs(30);
/// Claimed beyond what senders are free for, so that none of them waits for the database.
const AHEAD: usize = 16;
/// Most receivers answer faster than this. To those that do not a message goes twice, under the same id.
const IN_HAND: Duration = Duration::from_secs(1);
/// Receipts are written within milliseconds, where the store answers.
const RECEIPT_LATE: Duration = Duration::from_secs(1);
/// Bells that came together are one.
const BELLS: usize = 1_000;

/// Claims what is due.
#[derive(Debug)]
pub(crate) struct Claim {
    parts: Parts,
    /// Losses of the bus that were made good.
    losses: AtomicU64,
}

impl Claim {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone(), losses: AtomicU64::new(0) }
    }

    /// What was on its way to a sender when the bus lost everything is claimed again, once those had their time who
    /// have a message in hand.
    async fn make_good(&self) -> Result<(), Failure> {
        let Some(loss) = self.parts.bus.last_loss().filter(|loss| loss.number > self.losses.load(Ordering::SeqCst))
        else {
            return Ok(());
        };
        if loss.until.elapsed() < IN_HAND {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let until = now + LEASE.saturating_sub(loss.before.elapsed());
        let ended = self.parts.store.leases_end(until, now).await;
        let ended = ended.map_err(|err| Failure::new("end leases whose messages were lost", err))?;
        tracing::warn!(deliveries = ended, "claimed again, for the bus lost what it carried");
        self.losses.store(loss.number, Ordering::SeqCst);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Function for Claim {
    fn name(&self) -> &'static str {
        "deliver"
    }

    fn role(&self) -> Role {
        Role::Deliver
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Topic(Topic::Deliver), Wake::Clock(POLL)]
    }

    fn intake(&self) -> Intake {
        Intake { most: BELLS, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let mut report = Report::default();
        self.make_good().await?;
        while !self.parts.bus.is_draining() {
            // After a while without the store, what was sent meanwhile is settled before its lease is found run out.
            if self.parts.bus.lag(Topic::Sent) > RECEIPT_LATE {
                break;
            }
            let now = self.parts.clock.now();
            // What no sender is free for stays where it is: a lease must not run out in a queue.
            let free = (IN_FLIGHT + AHEAD).saturating_sub(self.parts.bus.pending(Topic::Send));
            let Some(limit) = u32::try_from(free).ok().filter(|free| *free > 0) else { break };
            let claimed = self.parts.store.deliveries_claim(now, LEASE, limit).await;
            let claimed = claimed.map_err(|err| Failure::new("claim deliveries", err))?;
            let is_last = claimed.len() < limit as usize;
            report.changed += claimed.len() as u64;
            if !claimed.is_empty() {
                crash::point(Point::Claimed);
            }
            for one in claimed {
                let send = gazer_bus::Send {
                    delivery: one.id,
                    epoch: one.epoch,
                    until: now + LEASE,
                    attempts: one.attempts,
                    early: one.early,
                    target: one.target,
                    notice: one.notice,
                };
                self.parts.bus.publish(Message::Send(Box::new(send)));
            }
            if is_last {
                break;
            }
        }
        Ok(report)
    }
}

/// As long as a database may be away. Whoever claims it meanwhile sends it again, under the same id.
const SETTLING: Duration = Duration::from_secs(3_600);
/// Receipts that are written in one transaction, and such that are under way. Of what is not written at a kill the
/// message is sent again; so receipts that come together do not wait for one another's disk.
const RECEIPTS: usize = 16;
const SETTLED_AT_ONCE: usize = 4;

/// Settles what was sent.
#[derive(Debug)]
pub(crate) struct Deliver {
    parts: Parts,
}

impl Deliver {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }

    /// A receipt that is not written down is a message that is sent twice, so it is tried again and again.
    async fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<u64, Failure> {
        let write = || self.parts.store.deliveries_settle(settlements, now);
        let settled = patiently(&self.parts, Some(SETTLING), write).await;
        settled.map_err(|err| Failure::new("settle deliveries", err))
    }

    /// What went to the operator is a row of its own.
    async fn settle_news(&self, settlement: &Settlement, now: Timestamp) -> Result<bool, Failure> {
        if let Settled::Dead { why } = &settlement.settled {
            tracing::warn!(id = %settlement.id, "the operator cannot be told of an issue: {why}");
        }
        let write = || self.parts.store.issue_news_settle(settlement, now);
        let settled = patiently(&self.parts, Some(SETTLING), write).await;
        settled.map_err(|err| Failure::new("settle news of an issue", err))
    }
}

fn settlement(sent: Sent, jitter: f64, now: Timestamp) -> Settlement {
    let settled = match sent.outcome {
        Outcome::Delivered { receipt } => Settled::Delivered { receipt },
        Outcome::Refused { why } => Settled::Dead { why },
        Outcome::Retry { why, after } if sent.early => {
            Settled::AsPlanned { soonest: now + rest(sent.attempts, after), why }
        }
        Outcome::Retry { why, after } => {
            let failed = sent.attempts + 1;
            match wait(failed, jitter, after) {
                Some(length) => Settled::Again { at: now + length, soonest: now + rest(failed, after), why },
                None => Settled::Dead { why },
            }
        }
    };
    Settlement { id: sent.delivery, epoch: sent.epoch, settled }
}

#[async_trait::async_trait]
impl Function for Deliver {
    fn name(&self) -> &'static str {
        "settle"
    }

    fn role(&self) -> Role {
        Role::Deliver
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Topic(Topic::Sent)]
    }

    fn intake(&self) -> Intake {
        Intake { concurrency: SETTLED_AT_ONCE, most: RECEIPTS, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let now = self.parts.clock.now();
        crash::point(Point::Settling);
        let sent = messages.into_iter().filter_map(|message| match message {
            Message::Sent(sent) => Some(settlement(sent, jitter(&self.parts), now)),
            _ => None,
        });
        let (news, deliveries): (Vec<_>, Vec<_>) = sent.partition(|one| issue::is_message_id(&one.id));
        let mut report = Report { looked_at: (news.len() + deliveries.len()) as u64, ..Report::default() };
        report.changed += self.settle(&deliveries, now).await?;
        for one in &news {
            report.changed += u64::from(self.settle_news(one, now).await?);
        }
        crash::point(Point::Settled);
        // What waited behind these in its line may go now.
        self.parts.bus.publish(Message::Deliver);
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use gazer_domain::DeliveryId;

    use super::*;

    fn failed(attempts: u32, early: bool) -> Sent {
        let outcome = Outcome::Retry { why: "HTTP 503".into(), after: None };
        Sent { delivery: DeliveryId::from_text("del_1"), epoch: 1, attempts, early, outcome }
    }

    #[test]
    fn the_twelfth_failure_is_the_last() {
        let now = Timestamp::EPOCH;
        let settled = |sent| settlement(sent, 0.5, now).settled;
        assert!(matches!(settled(failed(0, false)), Settled::Again { at, .. } if at == now + Duration::from_secs(5)));
        assert!(matches!(settled(failed(10, false)), Settled::Again { .. }));
        assert!(matches!(settled(failed(11, false)), Settled::Dead { .. }));
    }

    #[test]
    fn what_fails_before_its_time_is_tried_as_planned() {
        let now = Timestamp::EPOCH;
        let Settled::AsPlanned { soonest, .. } = settlement(failed(11, true), 0.5, now).settled else {
            panic!("it does not count")
        };
        assert_eq!(soonest, now + Duration::from_secs(48 * 60));
    }
}
