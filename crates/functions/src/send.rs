//! send: one message to one channel, answered with its receipt.
//!
//! It needs no database. A send whose answer is lost is a lease that runs out: it is claimed again under the same id,
//! and the receiver can tell that it has seen it.

use std::time::Duration;

use gazer_bus::crash::{self, Point};
use gazer_bus::function::Intake;
use gazer_bus::{Failure, Function, Message, Report, Role, Sent, Topic, Wake, Woken};

use crate::Outside;

/// The longest that a send takes, and a little.
const LONGEST: Duration = Duration::from_secs(17);
/// Messages under way at once.
pub(crate) const IN_FLIGHT: usize = 64;

#[derive(Debug)]
pub(crate) struct Send {
    outside: Outside,
}

impl Send {
    pub(crate) fn new(outside: &Outside) -> Self {
        Self { outside: outside.clone() }
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
            crash::point(Point::Sending);
            let outcome = self.outside.channels.send(&send.delivery, &send.target, &send.notice, now).await;
            crash::point(Point::Sent);
            let sent = Sent { delivery: send.delivery, epoch: send.epoch, attempts: send.attempts, outcome };
            self.outside.bus.publish(Message::Sent(sent));
            report.changed += 1;
        }
        Ok(report)
    }
}
