//! plan: which slots are due, published at their instants.
//!
//! Woken by the clock once a minute, it stays up for that minute, and says when something is due again. It follows the
//! monitors through the store's change counter: a bell makes it look at once, a poll every two seconds makes it right. A
//! monitor that is new, resumed or edited is checked at once, out of turn; at a start nothing is, nor where a region came
//! or went, so that a restart brings no herd. Where turns are handed on, each leaves word for the next: from where on
//! slots are left, and which changes it knew. While the store does not answer, what is known goes on being planned. Run
//! twice at the same time it would publish slots twice, and the judge would fold the second of
//! each to nothing. Planned time does not run backwards, but where the clock was an hour ahead and is set right: then
//! everything begins anew at the present, also at a start that finds slots of the future folded.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use gazer_bus::clock::SET_BACK;
use gazer_bus::crash::{self, Point};
use gazer_bus::{CheckBatch, Due, Failure, Function, Message, Occasion, Report, Role, Wake, Woken};
use gazer_domain::{MonitorId, Region, Timestamp};
use gazer_store::{Planned, Store, Word};
use tokio::sync::{Mutex, Notify};

use crate::Parts;
use crate::schedule::{Everywhere, Schedule};

const WINDOW: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(2);
/// A look takes milliseconds; what one claims must not be lost with its window.
const CUT_OFF: Duration = Duration::from_millis(100);
/// Slots closer together than this travel in one batch; it bounds both lateness and the number of wake-ups.
const TICK: Duration = Duration::from_millis(5);
/// Where messages cost money, a batch costs its slowest check: monitors that last took so long travel apart.
const SLOW: Duration = Duration::from_secs(2);
/// What is due at an instant that was planned is not due again.
const AFTER: Duration = Duration::from_millis(1);
/// Slots that were left so long ago are checked late; of what is older, they are missed.
const LEFT: Duration = Duration::from_secs(60);
/// Where nothing is watched, nothing is due for so long.
const NOTHING: Duration = Duration::from_secs(24 * 3600);
/// The lease in which it plans.
pub const CLOCK: &str = "clock";
/// A batch that waited longer than this in a queue is a backlog, and is dropped: its slots are missed.
const STALE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Plan {
    parts: Parts,
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    schedule: Schedule,
    /// Up to where the store's changes are known; nothing before the first look.
    seq: Option<i64>,
    /// Up to where slots are published.
    planned: Timestamp,
    /// The turn in which that was so.
    epoch: i64,
    /// Monitors that keep others waiting.
    slow: HashSet<MonitorId>,
}

impl State {
    /// What was known in an earlier turn may be old. Whether this is another one.
    fn begin(&mut self, epoch: i64) -> bool {
        let is_other = self.epoch != epoch;
        if is_other {
            *self = Self { epoch, ..Self::default() };
        }
        is_other
    }

    /// When something is due again, once it is known what is watched.
    fn next(&self) -> Option<Timestamp> {
        self.seq?;
        Some(self.schedule.next().unwrap_or(self.planned + NOTHING))
    }

    /// Where planned time is far ahead of the clock, everything begins anew. Whether it was.
    fn set_right(&mut self, now: Timestamp) -> bool {
        let ahead = self.planned > now + SET_BACK;
        if ahead {
            *self = Self { epoch: self.epoch, ..Self::default() };
        }
        ahead
    }
}

/// What a look at the store brought.
#[derive(Debug)]
struct News {
    seq: i64,
    /// What an earlier turn left; of the first look only.
    word: Option<Word>,
    changed: Vec<Planned>,
    asked: Vec<(i64, MonitorId)>,
    slow: HashSet<MonitorId>,
}

impl Plan {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self { parts: parts.clone(), state: Mutex::default(), bell: Notify::new() }
    }

    /// What is due now, once.
    async fn pass(&self) -> Result<Report, Failure> {
        let mut state = self.state.lock().await;
        let Some(epoch) = self.parts.hold.epoch() else { return Ok(Report::default()) };
        state.begin(epoch);
        state.set_right(self.parts.clock.now());
        let news = self.look(state.seq).await?;
        self.take(&mut state, news);
        let now = self.parts.clock.now();
        let changed = self.publish_due(&mut state, now);
        self.leave_word(&state, now).await;
        Ok(Report { changed, next: state.next(), ..Report::default() })
    }

    async fn window(&self, mut until: Timestamp) -> Result<Report, Failure> {
        let mut state = self.state.lock().await;
        let mut report = Report::default();
        // At most one look at the store, beside which slots go out at their instants however long it takes.
        let mut looks = FuturesUnordered::new();
        let mut look_at = Timestamp::EPOCH;
        // How the last look failed. It ends nobody's slots; it is told at the end of the window.
        let mut failed = None;
        loop {
            let now = self.parts.clock.now();
            // Also where this process was stopped for so long that somebody else plans by now.
            let Some(epoch) = self.parts.hold.epoch() else { return failed.map_or(Ok(report), Err) };
            if state.begin(epoch) {
                looks.clear();
                look_at = Timestamp::EPOCH;
            }
            if state.set_right(now) {
                looks.clear();
                (look_at, until) = (Timestamp::EPOCH, now + WINDOW);
            }
            if now >= until {
                self.leave_word(&state, now).await;
                report.next = state.next();
                return failed.map_or(Ok(report), Err);
            }
            // One that the window's end would cut off is left to the next.
            if now >= look_at && looks.is_empty() && now + CUT_OFF < until {
                looks.push(self.look(state.seq));
                look_at = now + POLL;
            }
            if now > state.planned {
                report.changed += self.publish_due(&mut state, now);
            }
            let next = state.schedule.next().unwrap_or(until).min(look_at).max(now + TICK).min(until);
            tokio::select! {
                () = self.parts.clock.sleep(next.since(now)) => {}
                () = self.bell.notified() => look_at = Timestamp::EPOCH,
                Some(looked) = looks.next() => match looked {
                    Ok(news) => {
                        failed = None;
                        self.take(&mut state, news);
                    }
                    Err(failure) => failed = Some(failure),
                },
            }
        }
    }

    /// What people changed and asked for since the last look. Requests first: the monitors that they name are then
    /// known.
    async fn look(&self, seq: Option<i64>) -> Result<News, Failure> {
        let (store, now) = (&self.parts.store, self.parts.clock.now());
        if seq.is_none() {
            set_right(store, now).await.map_err(|err| Failure::new("set instants of the future right", err))?;
            let moved = store.realign(now).await.map_err(|err| Failure::new("align slots", err))?;
            if moved > 0 {
                tracing::warn!(monitors = moved, "slots lie on another grid from now on");
            }
        }
        let word = match seq {
            None => store.word_read(CLOCK).await.map_err(|err| Failure::new("read what the last turn left", err))?,
            Some(_) => None,
        };
        let asked = store.requests_claim(now).await;
        let asked = asked.map_err(|err| Failure::new("claim check requests", err))?;
        let changed = store.planned_since(seq.unwrap_or(0)).await;
        let (seq, changed) = changed.map_err(|err| Failure::new("read changed monitors", err))?;
        let slow = match store.align() {
            Duration::ZERO => HashSet::new(),
            _ => store.slow_monitors(SLOW).await.map_err(|err| Failure::new("read which monitors are slow", err))?,
        };
        Ok(News { seq, word, changed, asked, slow })
    }

    /// Takes in what changed, and has it checked; serves the checks that people asked for.
    fn take(&self, state: &mut State, news: News) {
        let now = self.parts.clock.now();
        let left = news.word.map(|word| word.next);
        let resumed = left.filter(|next| *next <= now && now.since(*next) <= LEFT);
        let from = resumed.unwrap_or_else(|| now.max(state.planned));
        // Where nobody left word yet, everything is new.
        let beginning = self.parts.hands_on.then_some(0);
        let known = state.seq.or(news.word.map(|word| word.seq)).or(beginning);
        let mut due = Vec::new();
        for planned in news.changed {
            if planned.removed {
                state.schedule.remove(planned.monitor.id);
                continue;
            }
            let id = planned.monitor.id;
            let is_news = known.is_some_and(|known| planned.seq > known);
            let is_other = state.schedule.put(planned.monitor, planned.team, planned.regions, from);
            if is_other && is_news {
                due.extend(state.schedule.out_of_turn(id, now, Occasion::Change));
            }
        }
        (state.seq, state.slow) = (Some(news.seq), news.slow);
        for (request, monitor) in news.asked {
            due.extend(state.schedule.out_of_turn(monitor, now, Occasion::Request(request)));
        }
        self.publish(due, &state.slow, now);
    }

    /// For the next turn. Where it is not taken, that one begins at its own start.
    async fn leave_word(&self, state: &State, now: Timestamp) {
        // A store that is away would keep the slots waiting that are due meanwhile.
        let Some(seq) = state.seq.filter(|_| self.parts.hands_on) else { return };
        let word = Word { next: state.schedule.next().unwrap_or(now + AFTER), seq };
        if let Err(err) = self.parts.store.word_leave(CLOCK, state.epoch, word).await {
            tracing::warn!(error = &err as &dyn std::error::Error, "no word is left for the next turn");
        }
    }

    fn publish_due(&self, state: &mut State, now: Timestamp) -> u64 {
        state.planned = now;
        self.publish(state.schedule.due(now), &state.slow, now)
    }

    /// One batch per region, and another for what is slow.
    fn publish(&self, due: Vec<Everywhere>, slow: &HashSet<MonitorId>, now: Timestamp) -> u64 {
        let count = due.len() as u64;
        let (epoch, deadline) = (self.parts.hold.epoch().unwrap_or_default(), now + STALE);
        let mut batches: BTreeMap<(Region, bool), Vec<Due>> = BTreeMap::new();
        for Everywhere { due, regions } in due {
            let is_slow = slow.contains(&due.monitor.id);
            for region in regions.iter() {
                batches.entry((region.clone(), is_slow)).or_default().push(due.clone());
            }
        }
        for ((region, _), due) in batches {
            self.parts.bus.publish(Message::Check(CheckBatch { region, epoch, due, deadline }));
        }
        if count > 0 {
            crash::point(Point::Planned);
        }
        count
    }
}

/// Whoever starts to plan finds out whether time ran ahead before.
async fn set_right(store: &Store, now: Timestamp) -> gazer_store::Result<()> {
    let ahead = store.ahead_of(now).await?;
    if ahead <= SET_BACK {
        return Ok(());
    }
    tracing::warn!(seconds = ahead.as_secs(), "the clock was ahead and is set back; everything begins at the present");
    store.set_back(now, ahead).await
}

#[async_trait::async_trait]
impl Function for Plan {
    fn name(&self) -> &'static str {
        "plan"
    }

    fn role(&self) -> Role {
        Role::Plan
    }

    fn wakes(&self) -> &[Wake] {
        &[Wake::Clock(WINDOW), Wake::Topic(gazer_bus::Topic::Plan)]
    }

    async fn run(&self, woken: Woken) -> Result<Report, Failure> {
        match woken {
            Woken::Clock { at, until } if at == until => self.pass().await,
            Woken::Clock { until, .. } => self.window(until).await,
            Woken::Messages(_) => {
                self.bell.notify_one();
                Ok(Report::default())
            }
        }
    }
}
