//! Patience with the store: what was seen or sent is tried again until it is written down.
//!
//! A database that restarts, or a disk that is full for a while, must not cost what is in our hands. So a write that
//! failed for a reason that passes is repeated, with growing waits, until it succeeds, its time is over or the process
//! drains. What queues up behind it meanwhile is bounded by the topic's queue. A row that cannot be read will not become
//! readable: that is no reason to wait.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_store::Error;

use crate::Parts;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Writes, and tries again: for ever, or for `length`; never beyond a drain.
pub(crate) async fn patiently<T, W: Future<Output = Result<T, Error>>>(
    parts: &Parts,
    length: Option<Duration>,
    mut write: impl FnMut() -> W,
) -> Result<T, Error> {
    let until = length.map(|length| parts.clock.now() + length);
    let mut patience = Patience { parts, until, wait: FIRST };
    loop {
        match write().await {
            Err(err) if patience.outlasts(&err).await => {}
            done => return done,
        }
    }
}

/// How long one write is tried again.
#[derive(Debug)]
struct Patience<'a> {
    parts: &'a Parts,
    until: Option<Timestamp>,
    wait: Duration,
}

impl Patience<'_> {
    /// Waits before another try; answers no where none makes sense.
    async fn outlasts(&mut self, err: &Error) -> bool {
        let late = self.until.is_some_and(|until| self.parts.clock.now() + self.wait > until);
        if !passes(err) || late || self.parts.bus.is_draining() {
            return false;
        }
        tracing::warn!(
            error = err as &dyn std::error::Error,
            advice = err.advice(),
            "the store failed; what was seen and sent is kept, and tried again"
        );
        self.parts.clock.sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST);
        true
    }
}

fn passes(err: &Error) -> bool {
    !matches!(err, Error::Corrupt { .. } | Error::Invalid(_))
}
