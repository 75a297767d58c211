//! Two times: the true one, which only moves forward, and what the machine's clock says, which may jump.
//!
//! While a function that touches the network runs, true time is tokio's, paused, which jumps to the next timer when
//! nothing is left to do. While one that touches the database runs, true time stands still.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gazer_bus::Clock;
use gazer_domain::Timestamp;
use tokio::time::Instant;

/// When a simulated day begins, by a clock that is right.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Milliseconds of true time since the day began.
pub(crate) type True = u64;

#[derive(Debug, Clone, Default)]
pub(crate) struct Time(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    at: True,
    /// While the network runs: since when.
    running: Option<Instant>,
    /// What the machine's clock is wrong by, in milliseconds.
    wrong_by: i64,
}

impl Time {
    pub(crate) fn now(&self) -> True {
        let state = self.0.lock().expect("no panics here");
        state.at + state.running.map_or(0, |since| since.elapsed().as_millis() as u64)
    }

    /// Stands still at an instant that is not before the last.
    pub(crate) fn stand_at(&self, at: True) {
        let mut state = self.0.lock().expect("no panics here");
        assert!(at >= state.at, "true time only moves forward");
        state.at = at;
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.0.lock().expect("no panics here").wrong_by += by_ms;
    }

    pub(crate) fn wrong_by(&self) -> i64 {
        self.0.lock().expect("no panics here").wrong_by
    }

    /// Lets virtual time run while the work is under way; answers how long it took.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> (T, Duration) {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        tokio::time::pause();
        let begun = Instant::now();
        self.0.lock().expect("no panics here").running = Some(begun);
        let done = work.await;
        let took = begun.elapsed();
        // What it left behind, such as the far ends of its connections, comes to its end as well.
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > tasks {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.0.lock().expect("no panics here").running = None;
        tokio::time::resume();
        (done, took)
    }

    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(START.millis() + self.now() as i64 + self.wrong_by())
    }
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
