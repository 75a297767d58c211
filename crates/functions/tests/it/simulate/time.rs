//! Two times: the true one, which only moves forward, and what the machine's clock says, which may jump.
//!
//! While a function that touches the network runs, true time is tokio's, paused, which jumps to the next timer when
//! nothing is left to do. While one that touches the database runs, true time stands still, and tokio's is the real
//! one. Before the network runs again tokio's clock is set to where true time is: what lapses in an hour (a witness's
//! vote) lapses, and how long the database really took is forgotten, so that the same seed is the same day.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_bus::Clock;
use gazer_domain::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

/// When a simulated day begins, by a clock that is right.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Milliseconds of true time since the day began.
pub(crate) type True = u64;

/// What the database really takes between two runs of the network is less.
const APART: Duration = Duration::from_millis(50);

/// A slot may be so much older than the moment at which it is found due.
const SLOT_LATE: i64 = 900_000;

#[derive(Debug, Clone)]
pub(crate) struct Time {
    state: Arc<Mutex<State>>,
    idle: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    /// When the network ran last, by tokio's clock.
    ran: Instant,
    at: True,
    /// While the network runs: since when.
    running: Option<Instant>,
    /// What the machine's clock is wrong by, in milliseconds, and from when on.
    wrong_by: Vec<(True, i64)>,
}

impl Time {
    /// `idle` is told when the runtime rests and no task is left.
    pub(crate) fn new(idle: Arc<Notify>) -> Self {
        let began = Instant::now();
        let state = State { began, ran: began, at: 0, running: None, wrong_by: vec![(0, 0)] };
        Self { state: Arc::new(Mutex::new(state)), idle }
    }

    /// What the store still does takes real time, on a thread of its own.
    async fn nothing_left(&self) {
        while tasks() > 0 {
            self.idle.notified().await;
        }
    }

    pub(crate) fn now(&self) -> True {
        let state = self.state.lock().expect("no panics here");
        state.at + state.running.map_or(0, |since| since.elapsed().as_millis() as u64)
    }

    /// Whether the network runs, where things take their time.
    pub(crate) fn runs(&self) -> bool {
        self.state.lock().expect("no panics here").running.is_some()
    }

    /// Stands still at an instant that is not before the last.
    pub(crate) fn stand_at(&self, at: True) {
        let mut state = self.state.lock().expect("no panics here");
        assert!(at >= state.at, "true time only moves forward");
        state.at = at;
    }

    /// Pauses tokio's clock where true time is, and so long at least after the network ran last.
    async fn pause(&self, apart: Duration) -> Instant {
        tokio::time::pause();
        let now = Instant::now();
        let mut due = self.due(apart);
        while due < now {
            due += apart;
        }
        tokio::time::advance(due - now).await;
        due
    }

    fn due(&self, apart: Duration) -> Instant {
        let state = self.state.lock().expect("no panics here");
        (state.ran + apart).max(state.began + Duration::from_millis(state.at))
    }

    /// Sets tokio's clock, for a function that asks the network though true time stands still.
    pub(crate) async fn catch_up(&self, apart: Duration) {
        self.nothing_left().await;
        let ran = self.pause(apart).await;
        self.state.lock().expect("no panics here").ran = ran;
        tokio::time::resume();
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        let (now, wrong_by) = (self.now(), self.wrong_by());
        self.state.lock().expect("no panics here").wrong_by.push((now, wrong_by + by_ms));
    }

    fn wrong_by(&self) -> i64 {
        self.state.lock().expect("no panics here").wrong_by.last().map_or(0, |(_, wrong_by)| *wrong_by)
    }

    /// When the clock may have said this: one that was set back says some things twice.
    pub(crate) fn meant_by(&self, wall: Timestamp) -> Vec<True> {
        let state = self.state.lock().expect("no panics here");
        let ends = state.wrong_by.iter().skip(1).map(|(at, _)| *at as i64).chain([i64::MAX]);
        let meant = state.wrong_by.iter().zip(ends).filter_map(|((from, wrong_by), end)| {
            let at = wall.millis() - START.millis() - wrong_by;
            (at >= *from as i64 - SLOT_LATE && at <= end).then_some(at.max(0) as True)
        });
        meant.collect()
    }

    /// Lets virtual time run while the work is under way; answers how long it took.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> (T, Duration) {
        self.nothing_left().await;
        let begun = self.pause(APART).await;
        self.state.lock().expect("no panics here").running = Some(begun);
        let done = work.await;
        let took = begun.elapsed();
        // What it left behind, such as the far ends of its connections, comes to its end as well.
        while tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut state = self.state.lock().expect("no panics here");
        (state.running, state.ran) = (None, Instant::now());
        tokio::time::resume();
        (done, took)
    }

    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(START.millis() + self.now() as i64 + self.wrong_by())
    }
}

/// Tasks that are not done.
pub(super) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    /// Only a function that waits for its store sleeps, and this store does not fail.
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}
