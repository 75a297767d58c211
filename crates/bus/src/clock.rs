//! The present, as an argument. Production asks the system; tests and simulations bring their own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gazer_domain::Timestamp;

/// The second implementation is the fake clock of tests.
pub trait Clock: fmt::Debug + std::marker::Send + Sync {
    fn now(&self) -> Timestamp;

    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + std::marker::Send + '_>>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        system_now()
    }

    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + std::marker::Send + '_>> {
        Box::pin(tokio::time::sleep(length))
    }
}

/// The one place that reads the machine's wall clock.
#[expect(clippy::disallowed_methods, reason = "this is where the real present lives")]
pub fn system_now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(gazer_domain::time::millis(since_1970))
}
