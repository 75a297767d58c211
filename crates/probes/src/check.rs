//! One slot's work: try, verify what failed, ask the witnesses, and bring back an observation.
//!
//! A first attempt that is up ends the check. One that fails is tried again, after a gap, on a fresh connection and
//! over another address where there is one; the first good answer proves the failure wrong. If all fail, and the site
//! never said a word, the [witnesses](crate::witness) are asked whether it is our own network that is down. A verdict
//! of `unknown` is not verified: it blames nobody. The exception is a name that our resolver cannot resolve while it
//! resolves the witnesses' names: that is the site's failure, and verified like any other. And the reverse: that a name
//! does not exist is believed only of a resolver that still finds the witnesses' names.

mod evidence;

use std::net::SocketAddr;
use std::time::Duration;

use gazer_domain::cause::{Cause, Code};
use gazer_domain::monitor::Verify;
use gazer_domain::observation::{Attempt, Observation};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{MonitorId, Timestamp};
use tokio::time::{Instant, sleep};

use crate::http::{self, Plan};
use crate::{Prober, witness};

/// Which attempts an observation carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those of a check that did not come out well.
    Failures,
    /// All: somebody asked to see.
    Everything,
}

/// One check to make.
#[derive(Debug, Clone)]
pub struct Job {
    pub monitor: MonitorId,
    pub revision: u32,
    pub slot: Timestamp,
    pub plan: Plan,
    pub verify: Verify,
    pub keep: Keep,
}

impl Prober {
    /// Makes the check. `now` stamps its attempts; how long they took is measured by the monotonic clock.
    pub async fn check(&self, job: &Job, now: impl Fn() -> Timestamp) -> Observation {
        let started = now();
        let begun = Instant::now();
        let (first, judged) = http::attempt(&self.0.means, &job.plan, None, started).await;
        self.0.witnesses.keep_fresh(&first);
        let judged = self.blame_name(&first, judged, begun).await;
        if judged.verdict != Verdict::Down {
            return observe(job, started, begun.elapsed(), judged, vec![first]);
        }
        let mut attempts = Vec::with_capacity(1 + usize::from(job.verify.attempts));
        attempts.push(first);
        let (judged, since) = self.verify(job, (judged, begun), &mut attempts, &now).await;
        let judged = if judged.verdict == Verdict::Down { self.weigh(&attempts, judged, since).await } else { judged };
        observe(job, started, begun.elapsed(), judged, attempts)
    }

    /// Tries again until an answer is good or the attempts are used up. The last failure is the one that counts: it is
    /// how things stand now, and comes with the instant that it began at. Attempts that failed for reasons of ours verify
    /// nothing, and if all did, so does this.
    async fn verify(
        &self,
        job: &Job,
        first: (Judgement, Instant),
        attempts: &mut Vec<Attempt>,
        now: &impl Fn() -> Timestamp,
    ) -> (Judgement, Instant) {
        let mut down: Option<(Judgement, Instant)> = None;
        let mut unknown: Option<(Judgement, Instant)> = None;
        for _ in 0..job.verify.attempts {
            sleep(job.verify.gap).await;
            let avoid = attempts.last().and_then(address);
            let begun = Instant::now();
            let (attempt, judged) = http::attempt(&self.0.means, &job.plan, avoid, now()).await;
            let judged = self.blame_name(&attempt, judged, begun).await;
            attempts.push(attempt);
            match judged.verdict {
                Verdict::Up | Verdict::Slow => return (judged, begun),
                Verdict::Down => down = Some((judged, begun)),
                Verdict::Unknown => unknown = Some((judged, begun)),
            }
        }
        down.or(unknown).unwrap_or(first)
    }

    /// A resolver that finds others by their names, but not this one, is not what failed.
    async fn blame_name(&self, attempt: &Attempt, judged: Judgement, since: Instant) -> Judgement {
        let unresolved = judged.cause.as_ref().is_some_and(|cause| cause.code == Code::ResolverFailed);
        if !unresolved || !self.0.witnesses.names_answer(since).await {
            return judged;
        }
        let host = attempt.last().map(|hop| http::host_of(&hop.request.url)).unwrap_or_default();
        let text = format!("the name servers of {host} do not answer, while other names resolve");
        Judgement::of(Verdict::Down, Cause::new(Code::DnsServerFailure, text))
    }

    /// Blames our own resolver or network where all witnesses that have a vote are gone as well. `since` is when the
    /// attempt began whose failure is weighed: what witnesses said before it is not about it.
    async fn weigh(&self, attempts: &[Attempt], judged: Judgement, since: Instant) -> Judgement {
        let said = judged.cause.as_ref().map_or_else(String::new, |cause| format!(" ({cause})"));
        if judged.cause.as_ref().is_some_and(is_about_a_name)
            && let witness::Resolver::Fails { asked } = self.0.witnesses.resolver(since).await
        {
            let text = format!("our own resolver seems to fail: it finds none of {asked} witnesses either{said}");
            return Judgement::unknown(Cause::new(Code::ResolverFailed, text));
        }
        let answered = attempts.iter().any(|attempt| attempt.hops.iter().any(|hop| hop.answer.is_some()));
        if answered {
            return judged;
        }
        match self.0.witnesses.ask(witness::scope_of(attempts), since).await {
            witness::Opinion::WorldIsThere => judged,
            witness::Opinion::WorldIsGone { asked } => {
                let text = format!("our own network seems to be down: none of {asked} witnesses answered either{said}");
                Judgement::unknown(Cause::new(Code::NetworkDown, text))
            }
        }
    }
}

/// What a resolver said, which is worth as much as the resolver.
fn is_about_a_name(cause: &Cause) -> bool {
    matches!(cause.code, Code::DnsNotFound | Code::DnsNoAddress | Code::DnsServerFailure)
}

fn address(attempt: &Attempt) -> Option<SocketAddr> {
    // Only a first hop's address can be avoided: the others belong to other names.
    attempt.hops.first().and_then(|hop| hop.address)
}

fn observe(
    job: &Job,
    started: Timestamp,
    took: Duration,
    mut judgement: Judgement,
    mut attempts: Vec<Attempt>,
) -> Observation {
    let deciding = attempts.last();
    let phases = deciding.map(Attempt::phases).unwrap_or_default();
    let certificate_until = deciding.and_then(Attempt::certificate).map(|certificate| certificate.not_after);
    if (judgement.verdict, job.keep) == (Verdict::Up, Keep::Failures) {
        attempts = Vec::new();
    } else {
        let secrets = &job.plan.compiled().secrets;
        if let Some(cause) = &mut judgement.cause {
            evidence::mask_secrets(&mut cause.text, secrets);
        }
        evidence::mask(&mut attempts, secrets);
        evidence::bound(&mut attempts);
    }
    Observation {
        monitor: job.monitor,
        revision: job.revision,
        slot: job.slot,
        started,
        took,
        judgement,
        phases,
        certificate_until,
        attempts,
    }
}
