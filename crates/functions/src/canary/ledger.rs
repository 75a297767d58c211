//! The operator's ledger: episodes that last, or are still to be told.
//!
//! It lives in memory and in rows. Memory decides, because the store may be what failed; each change is written down
//! when the store takes it, before it is told where that is possible. So a message that was sent by a process that died
//! goes out again under the same id. Each of the operator's ways has its own marks, takes its news in order, and does
//! not wait for the other.

use std::sync::Arc;

use futures_util::future::join;
use gazer_domain::delivery::Outcome;
use gazer_domain::sight::{Episode, Fault, News, Told};
use gazer_domain::{Region, Timestamp};
use gazer_store::TrackedEpisode;

use super::{Lookout, in_time};
use crate::Parts;

/// Failed attempts double the wait, from one look's time to this many.
const MOST_LOOKS: u32 = 20;
/// Entries in memory. Whoever could not be told for so long hears of the newest; the rows of the others stay.
const MOST: usize = 50;

#[derive(Debug)]
pub(super) struct Ledger {
    lookout: Arc<Lookout>,
    region: Region,
    /// Oldest first.
    entries: Vec<Entry>,
    /// Rows of earlier processes were read.
    loaded: bool,
    /// The last look found the store in order.
    store_answers: bool,
    webhook: Pause,
    email: Pause,
}

#[derive(Debug)]
struct Entry {
    tracked: TrackedEpisode,
    unwritten: bool,
}

/// When one of the operator's ways is tried again.
#[derive(Debug, Default)]
struct Pause {
    failed: u32,
    until: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn new(lookout: &Arc<Lookout>, region: Region) -> Self {
        let (lookout, webhook, email) = (Arc::clone(lookout), Pause::default(), Pause::default());
        Self { lookout, region, entries: Vec::new(), loaded: false, store_answers: false, webhook, email }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is wrong at present.
    pub(super) fn lasting(&self) -> Option<Fault> {
        let lasting = self.entries.iter().find(|entry| entry.tracked.episode.ended.is_none());
        lasting.map(|entry| entry.tracked.episode.fault)
    }

    pub(super) fn open(&mut self, episode: Episode) {
        let tracked = TrackedEpisode { episode, webhook: Told::Nothing, email: Told::Nothing };
        if self.entries.len() >= MOST {
            self.entries.remove(0);
        }
        self.entries.push(self.entry(tracked));
        self.hurry();
    }

    pub(super) fn close(&mut self, at: Timestamp) {
        for entry in self.entries.iter_mut().filter(|entry| entry.tracked.episode.ended.is_none()) {
            entry.tracked.episode.ended = Some(at.max(entry.tracked.episode.started));
            entry.unwritten = true;
        }
        self.hurry();
    }

    /// News is worth another try at once.
    fn hurry(&mut self) {
        (self.webhook, self.email) = (Pause::default(), Pause::default());
    }

    /// A way that there is not has nothing to be told, also when there will be one.
    fn entry(&self, mut tracked: TrackedEpisode) -> Entry {
        let operator = &self.lookout.operator;
        if operator.webhook.is_none() {
            tracked.webhook = Told::All;
        }
        if operator.email.is_none() {
            tracked.email = Told::All;
        }
        Entry { tracked, unwritten: true }
    }

    /// Takes note of whether the store answers. The first time that it does, what an earlier process left is taken up;
    /// answers whether it was.
    pub(super) async fn store_answers(&mut self, parts: &Parts, answers: bool, now: Timestamp) -> bool {
        self.store_answers = answers;
        if !answers || self.loaded {
            return false;
        }
        let rows = match in_time(parts, parts.store.episodes_unsettled(&self.region, now)).await {
            Ok(rows) => rows,
            Err(why) => {
                tracing::warn!("the operator's episodes cannot be read: {why}");
                return false;
            }
        };
        self.loaded = true;
        let lasting = self.entries.iter().map(|entry| &entry.tracked.episode).find(|episode| episode.ended.is_none());
        let began = lasting.map(|episode| episode.started);
        let mut entries = Vec::with_capacity(rows.len() + self.entries.len());
        for mut row in rows {
            if let Some(known) = self.entries.iter_mut().find(|known| known.is_of(&row)) {
                known.learn(&row);
                continue;
            }
            // One that began while the store was away stands for what comes after it.
            if let (None, Some(began)) = (row.episode.ended, began) {
                row.episode.ended = Some(began.max(row.episode.started));
            }
            entries.push(self.entry(row));
        }
        entries.append(&mut self.entries);
        self.entries = entries;
        true
    }

    /// What is written may be known better elsewhere by now, and is read again.
    pub(super) fn begin_anew(&mut self) {
        self.entries.retain(|entry| entry.unwritten);
        (self.loaded, self.store_answers) = (false, false);
    }

    /// Writes what is not written and tells what is not told; answers how many messages were taken.
    pub(super) async fn work(&mut self, parts: &Parts) -> u64 {
        self.write(parts).await;
        let now = parts.clock.now();
        let (webhook, email) = (self.next(now, Way::Webhook), self.next(now, Way::Email));
        let (webhook, email) = (self.send(parts, Way::Webhook, webhook), self.send(parts, Way::Email, email));
        let (webhook, email) = Box::pin(join(webhook, email)).await;
        let taken = [(Way::Webhook, webhook), (Way::Email, email)]
            .into_iter()
            .filter_map(|(way, sent)| sent.map(|sent| self.settle(way, sent, now)))
            .filter(|taken| *taken)
            .count();
        self.write(parts).await;
        taken as u64
    }

    async fn write(&mut self, parts: &Parts) {
        for entry in self.entries.iter_mut().filter(|entry| entry.unwritten) {
            if !self.store_answers {
                return;
            }
            match in_time(parts, parts.store.episode_put(&entry.tracked)).await {
                Ok(()) => entry.unwritten = false,
                Err(why) => {
                    tracing::warn!("an episode is not written down yet: {why}");
                    self.store_answers = false;
                }
            }
        }
        self.entries.retain(|entry| entry.unwritten || !entry.is_settled());
    }

    /// The oldest news of a way, if its time has come.
    fn next(&self, now: Timestamp, way: Way) -> Option<(usize, News)> {
        if self.pause(way).until.is_some_and(|until| now < until && until <= now + self.lookout.every * MOST_LOOKS) {
            return None;
        }
        let mut entries = self.entries.iter().enumerate();
        entries.find_map(|(n, entry)| Some((n, entry.tracked.episode.due(entry.told(way))?)))
    }

    async fn send(&self, parts: &Parts, way: Way, next: Option<(usize, News)>) -> Option<(usize, News, Outcome)> {
        let (n, news) = next?;
        let (episode, operator) = (&self.entries[n].tracked.episode, &self.lookout.operator);
        let outcome = match way {
            Way::Webhook => {
                let hook = operator.webhook.as_ref()?;
                parts.channels.operator_webhook(hook, episode, news, parts.clock.now()).await
            }
            Way::Email => parts.channels.operator_email(operator.email.as_deref()?, episode, news).await,
        };
        Some((n, news, outcome))
    }

    /// Answers whether it was taken.
    fn settle(&mut self, way: Way, (n, news, outcome): (usize, News, Outcome), now: Timestamp) -> bool {
        let every = self.lookout.every;
        let pause = self.pause_mut(way);
        if let Outcome::Retry { why, .. } = &outcome {
            let wait = every * 2_u32.saturating_pow(pause.failed).min(MOST_LOOKS);
            *pause = Pause { failed: pause.failed + 1, until: Some(now + wait) };
            tracing::warn!(way = way.as_str(), "the operator could not be told: {why}");
            return false;
        }
        *pause = Pause::default();
        let entry = &mut self.entries[n];
        *entry.told_mut(way) = Told::after(news);
        entry.unwritten = true;
        match outcome {
            Outcome::Refused { why } => {
                tracing::error!(way = way.as_str(), "the operator cannot be told: {why}");
                false
            }
            _ => true,
        }
    }

    const fn pause(&self, way: Way) -> &Pause {
        match way {
            Way::Webhook => &self.webhook,
            Way::Email => &self.email,
        }
    }

    const fn pause_mut(&mut self, way: Way) -> &mut Pause {
        match way {
            Way::Webhook => &mut self.webhook,
            Way::Email => &mut self.email,
        }
    }
}

/// How the operator is reached.
#[derive(Debug, Clone, Copy)]
enum Way {
    Webhook,
    Email,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

impl Entry {
    fn is_of(&self, row: &TrackedEpisode) -> bool {
        self.tracked.episode.started == row.episode.started
    }

    /// What was told is not told again, and what was over stays so.
    fn learn(&mut self, row: &TrackedEpisode) {
        let TrackedEpisode { episode, webhook, email } = &mut self.tracked;
        episode.ended = row.episode.ended.or(episode.ended);
        (*webhook, *email) = ((*webhook).max(row.webhook), (*email).max(row.email));
    }

    const fn told(&self, way: Way) -> Told {
        match way {
            Way::Webhook => self.tracked.webhook,
            Way::Email => self.tracked.email,
        }
    }

    const fn told_mut(&mut self, way: Way) -> &mut Told {
        match way {
            Way::Webhook => &mut self.tracked.webhook,
            Way::Email => &mut self.tracked.email,
        }
    }

    fn is_settled(&self) -> bool {
        let told = self.tracked.webhook == Told::All && self.tracked.email == Told::All;
        told && self.tracked.episode.ended.is_some()
    }
}
