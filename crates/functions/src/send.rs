//! send: one message to one channel, answered with its receipt.
//!
//! It needs no database. A send whose answer is lost is a lease that runs out: it is claimed again under the same id,
//! and the receiver can tell that it has seen it. A claim that arrives twice is sent once, as far as this process knows.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use gazer_bus::crash::{self, Point};
use gazer_bus::function::Intake;
use gazer_bus::{Failure, Function, Message, Report, Role, Sent, Topic, Wake, Woken};
use gazer_domain::{DeliveryId, Timestamp};

use crate::{Outside, lock};

/// The longest that a send takes, and a little.
const LONGEST: Duration = Duration::from_secs(17);
/// Messages under way at once.
pub(crate) const IN_FLIGHT: usize = 64;

#[derive(Debug)]
pub(crate) struct Send {
    outside: Outside,
    claims: Claims,
}

/// Claims that were taken up, by delivery and epoch, until their leases end: a message may arrive twice.
#[derive(Debug, Default)]
struct Claims(Mutex<HashMap<(DeliveryId, i64), Timestamp>>);

impl Claims {
    /// False if it was taken up before.
    fn take(&self, delivery: &DeliveryId, epoch: i64, until: Timestamp, now: Timestamp) -> bool {
        let mut known = lock(&self.0);
        if known.len() == known.capacity() {
            known.retain(|_, until| *until > now);
        }
        known.insert((delivery.clone(), epoch), until).is_none_or(|until| until <= now)
    }
}

impl Send {
    pub(crate) fn new(outside: &Outside) -> Self {
        Self { outside: outside.clone(), claims: Claims::default() }
    }
}

#[async_trait::async_trait]
impl Function for Send {
    fn name(&self) -> &'static str {
        "send"
    }

    fn role(&self) -> Role {
        Role::Send
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Topic(Topic::Send)]
    }

    fn intake(&self) -> Intake {
        Intake { concurrency: IN_FLIGHT, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let mut report = Report::default();
        for message in messages {
            let Message::Send(send) = message else { continue };
            let now = self.outside.clock.now();
            if now + LONGEST > send.until || self.outside.bus.is_draining() {
                // It waited too long behind others, or we are about to end: whoever claims it next sends it.
                report.skipped += 1;
                continue;
            }
            if !self.claims.take(&send.delivery, send.epoch, send.until, now) {
                report.skipped += 1;
                continue;
            }
            crash::point(Point::Sending);
            let outcome = self.outside.channels.send(&send.delivery, &send.target, &send.notice, now).await;
            crash::point(Point::Sent);
            let sent = Sent {
                delivery: send.delivery,
                epoch: send.epoch,
                attempts: send.attempts,
                early: send.early,
                outcome,
            };
            self.outside.bus.publish(Message::Sent(sent));
            report.changed += 1;
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_taken_up_once_and_a_new_one_again() {
        let (claims, now) = (Claims::default(), Timestamp::from_millis(1_000_000));
        let take = |id: &str, epoch, now| {
            claims.take(&DeliveryId::from_text(id.to_owned()), epoch, now + Duration::from_secs(30), now)
        };
        assert!(take("a", 1, now) && take("b", 1, now));
        assert!(!take("a", 1, now), "it arrived twice");
        assert!(take("a", 2, now), "its lease ran out, and it was claimed again");
        assert!(take("a", 1, now + Duration::from_secs(30)), "of another database");
        let later = now + Duration::from_secs(60);
        for n in 0..10_000 {
            take(&n.to_string(), 1, later + Duration::from_secs(n));
        }
        assert!(lock(&claims.0).len() < 200, "what is over is forgotten");
    }
}
