//! Topics, functions, the registry, and the driver that wakes functions on one machine.
//!
//! Two kinds of message travel here, and the difference is the heart of the design. *Flow* carries the data itself; it
//! may be lost, and what is lost is counted or claimed again. A *bell* carries nothing: the truth is a row, and a poll
//! finds it if the bell was missed. So losing the whole bus costs latency, never a notification.
//!
//! Deliberately absent: retries, acknowledgements and persistence. The database is the queue for what must not be lost.

pub mod clock;
pub mod crash;
pub mod function;
pub mod hold;
pub mod local;
pub mod message;
mod queue;
pub mod registry;

pub use clock::{Clock, SystemClock};
pub use function::{Failure, Function, Report, Wake, Woken};
pub use hold::Hold;
pub use local::Bus;
pub use message::{Changed, CheckBatch, Due, Message, Observed, Occasion, Send, Sent, Topic};
pub use registry::Registry;
