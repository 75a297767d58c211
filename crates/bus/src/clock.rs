//! The present, as an argument. Production asks the system; tests and simulations bring their own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use gazer_domain::Timestamp;
use tokio::time::Instant;

use crate::lock;

/// The second implementation is the fake clock of tests.
pub trait Clock: fmt::Debug + std::marker::Send + Sync {
    fn now(&self) -> Timestamp;

    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + std::marker::Send + '_>>;
}

/// A clock that was set back by more than this is believed: slots are not held back for longer.
pub const SET_BACK: Duration = Duration::from_secs(60);
/// By which part time runs slower while it waits for a clock that was set back a little: nobody's interval notices.
const SLOWER: u32 = 200;

/// The machine's own clock, made fit for planning: it follows the machine forward, and never runs backwards unless the
/// machine was set back by more than [`SET_BACK`].
#[derive(Debug)]
pub struct SystemClock(Mutex<Steady>);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Mutex::new(Steady { time: since_1970(), read: Instant::now() }))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut steady = lock(&self.0);
        steady.follow(since_1970(), Instant::now());
        Timestamp::from_millis(gazer_domain::time::millis(steady.time))
    }

    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + std::marker::Send + '_>> {
        Box::pin(tokio::time::sleep(length))
    }
}

#[derive(Debug)]
struct Steady {
    /// Since 1970.
    time: Duration,
    /// When that was so.
    read: Instant,
}

impl Steady {
    fn follow(&mut self, machine: Duration, at: Instant) {
        let passed = at.saturating_duration_since(self.read);
        self.read = at;
        let steady = self.time + passed;
        self.time = if machine >= steady || machine + SET_BACK < steady {
            machine
        } else {
            (steady - passed / SLOWER).max(machine)
        };
    }
}

/// The present by the machine's clock, for what is over at once: a command, the validity of a certificate.
pub fn system_now() -> Timestamp {
    Timestamp::from_millis(gazer_domain::time::millis(since_1970()))
}

/// The one place that reads the machine's wall clock.
#[expect(clippy::disallowed_methods, reason = "this is where the real present lives")]
fn since_1970() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads once a second while the machine's clock says this, in seconds; answers what is told, in milliseconds.
    fn told(machine: &[u64]) -> Vec<u128> {
        let begun = Instant::now();
        let mut steady = Steady { time: Duration::from_secs(machine[0]), read: begun };
        let mut told = Vec::new();
        for (second, machine) in machine.iter().enumerate() {
            steady.follow(Duration::from_secs(*machine), begun + Duration::from_secs(second as u64));
            told.push(steady.time.as_millis());
        }
        told
    }

    #[test]
    fn it_follows_the_machine_forward_at_once() {
        assert_eq!(told(&[1_000, 1_001, 4_602, 4_603]), [1_000_000, 1_001_000, 4_602_000, 4_603_000]);
    }

    #[test]
    fn set_back_a_little_it_goes_on_and_is_slowly_caught_up_with() {
        assert_eq!(told(&[1_000, 991, 992, 993]), [1_000_000, 1_000_995, 1_001_990, 1_002_985]);
        let seconds: Vec<u64> = [1_000].into_iter().chain((0..2_200).map(|s| 991 + s)).collect();
        let told = told(&seconds);
        assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "it never runs backwards");
        assert_eq!(told.last(), seconds.last().map(|s| u128::from(*s) * 1_000).as_ref(), "both agree in the end");
    }

    #[test]
    fn set_back_by_an_hour_it_believes_the_machine() {
        assert_eq!(told(&[10_000, 6_401, 6_402]), [10_000_000, 6_401_000, 6_402_000]);
    }
}
