//! issue: groups errors of our own, and tells the operator of new ones and of those that are back.
//!
//! A report is folded into the row of its fingerprint, and what is to be told is written in the same transaction; from
//! there it goes the way of every message, by `send` and `settle`, under a lease and an id of its own. So nobody is called
//! from here, and a kill at any point costs nothing that was folded. A report that comes twice is known by its process
//! and its instant (`what_comes_twice_is_counted_once`).
//!
//! `inform` is woken by the clock: it finds what nobody took or settled, and writes the digest of what only repeats, once
//! a day. Reports are folded by whichever process gets them, whosever turn it is; the poll is for one.
//!
//! Where there is no operator to be told, issues are kept for the page and the command, and nothing is written to tell.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gazer_bus::function::Intake;
use gazer_bus::{Failure, Function, Message, Report, Role, Topic, Wake, Woken};
use gazer_domain::channel::Target;
use gazer_domain::issue::{self, Turn, Way};
use gazer_domain::{IssueId, Timestamp};
use gazer_store::{ClaimedNews, Settled, Settlement};

use crate::patience::patiently;
use crate::{Parts, id};

/// News is handed over as it is written; this finds what is to be tried again.
const POLL: Duration = Duration::from_secs(2);
/// Whether a digest is due is asked less often: it is a day's.
const DIGEST: Duration = Duration::from_secs(60);
/// Reports that came together.
const REPORTS: usize = 100;
/// As that of deliveries, which take the same way.
const LEASE: Duration = Duration::from_secs(30);
/// News under way at a time.
const NEWS: u32 = 20;
/// Reports are kept for so long where the store does not take them; they arise again if the fault lasts.
const PATIENCE: Duration = Duration::from_secs(600);

/// Folds what is reported.
#[derive(Debug)]
pub(crate) struct Issue {
    parts: Parts,
}

impl Issue {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone() }
    }

    async fn fold(&self, report: issue::Report) -> Result<Option<Turn>, Failure> {
        let report = report.within_bounds();
        let (ways, fresh): (_, IssueId) = (ways(&self.parts), id(&self.parts));
        let write = || self.parts.store.issue_report(&report, &ways, fresh, self.parts.clock.now());
        let turn = patiently(&self.parts, Some(PATIENCE), write).await;
        turn.map_err(|err| Failure::new("fold a report of an error", err))
    }
}

#[async_trait::async_trait]
impl Function for Issue {
    fn name(&self) -> &'static str {
        "issue"
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Topic(Topic::Issue)]
    }

    fn intake(&self) -> Intake {
        Intake { most: REPORTS, ..Intake::ONE_BY_ONE }
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        let Woken::Messages(messages) = woken else { return Ok(Report::default()) };
        let mut report = Report::default();
        let (mut is_news, mut failed) = (false, None);
        for message in messages {
            let Message::Issue(said) = message else { continue };
            report.looked_at += 1;
            match self.fold(*said).await {
                Ok(None) => report.skipped += 1,
                Ok(Some(turn)) => {
                    report.changed += 1;
                    is_news |= matches!(turn, Turn::New | Turn::Regressed);
                }
                // A row that cannot be read must not cost the reports that came with it.
                Err(failure) => failed = Some(failure),
            }
        }
        if is_news {
            tell(&self.parts).await?;
        }
        failed.map_or(Ok(report), Err)
    }
}

/// Finds what is still to be told.
#[derive(Debug)]
pub(crate) struct Inform {
    parts: Parts,
    /// When a digest was last asked for.
    digest: AtomicI64,
}

impl Inform {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone(), digest: AtomicI64::new(0) }
    }

    /// Once a minute at most.
    async fn digest(&self, ways: &[Way]) -> Result<(), Failure> {
        let (now, last) = (self.parts.clock.now(), Timestamp::from_millis(self.digest.load(Ordering::Relaxed)));
        if last <= now && now.since(last) < DIGEST {
            return Ok(());
        }
        let written = self.parts.store.issue_digest(ways, now).await;
        written.map_err(|err| Failure::new("write the digest of issues", err))?;
        self.digest.store(now.millis(), Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Function for Inform {
    fn name(&self) -> &'static str {
        "inform"
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(POLL)]
    }

    async fn run(&self, _: Woken) -> Result<Report, Failure> {
        let ways = ways(&self.parts);
        if ways.is_empty() {
            return Ok(Report::default());
        }
        self.digest(&ways).await?;
        Ok(Report { changed: tell(&self.parts).await?, ..Report::default() })
    }
}

fn ways(parts: &Parts) -> Vec<Way> {
    Way::ALL.into_iter().filter(|way| target(parts, *way).is_some()).collect()
}

fn target(parts: &Parts, way: Way) -> Option<Target> {
    let operator = &parts.lookout.operator;
    match way {
        Way::Webhook => {
            let (url, secret) = operator.webhook.clone()?;
            Some(Target::Webhook { url, secret })
        }
        Way::Email => Some(Target::Email { to: vec![operator.email.clone()?] }),
    }
}

/// Hands over what is due.
async fn tell(parts: &Parts) -> Result<u64, Failure> {
    if parts.bus.is_draining() {
        return Ok(0);
    }
    let now = parts.clock.now();
    let claimed = parts.store.issue_news_claim(now, LEASE, NEWS).await;
    let claimed = claimed.map_err(|err| Failure::new("claim news of issues", err))?;
    let told = claimed.len() as u64;
    for news in claimed {
        hand_over(parts, news, now).await?;
    }
    Ok(told)
}

async fn hand_over(parts: &Parts, news: ClaimedNews, now: Timestamp) -> Result<(), Failure> {
    let ClaimedNews { id, epoch, attempts, way, notice } = news;
    let Some(target) = target(parts, way) else {
        let settled = Settled::Dead { why: format!("the operator has no {} any more", way.as_str()) };
        let settled = parts.store.issue_news_settle(&Settlement { id, epoch, settled }, now).await;
        return settled.map(drop).map_err(|err| Failure::new("settle news of an issue", err));
    };
    let send = gazer_bus::Send { delivery: id, epoch, until: now + LEASE, attempts, early: false, target, notice };
    parts.bus.publish(Message::Send(Box::new(send)));
    Ok(())
}

#[cfg(test)]
mod tests;
