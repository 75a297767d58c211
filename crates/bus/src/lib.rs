//! Topics, functions, the registry, and the driver that wakes functions on one machine.
//!
//! Two kinds of message travel here, and the difference is the heart of the design. *Flow* carries the data itself; it
//! may be lost, and what is lost is counted or claimed again. A *bell* carries nothing: the truth is a row, and a poll
//! finds it if the bell was missed. So losing the whole bus costs latency, never a notification.
//!
//! Deliberately absent: retries, acknowledgements and persistence. The database is the queue for what must not be lost.

mod bus;
pub mod clock;
pub mod crash;
mod encode;
pub mod function;
pub mod hold;
mod live;
pub mod message;
pub mod nats;
pub mod outbox;
pub mod parcel;
mod queue;
mod receipt;
pub mod registry;
pub mod role;
pub mod seal;
mod subject;
mod workers;

pub use bus::{Bus, Loss};
pub use clock::{Clock, SystemClock};
pub use function::{Failure, Function, Report, Wake, Woken};
pub use hold::Hold;
pub use live::Live;
pub use message::{Changed, CheckBatch, Due, Message, Observed, Occasion, Send, Sent, Topic};
pub use registry::{Registry, running};
pub use role::Role;
pub use workers::{Running, Turns, start};

/// What a thread that panicked left is whole: nothing here is changed in two steps.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
