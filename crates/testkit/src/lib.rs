//! For tests: targets that misbehave, a site that breaks on command, databases and a relay before them, a message
//! server, a small disk, mail and webhook receivers, a browser.
//!
//! Everything listens on loopback only and ends when its handle is dropped. Nothing here sleeps for luck: what has to
//! be waited for is waited for as a condition with a deadline, and a deadline that passes panics with what was seen
//! instead. The crate knows `gazer-domain` and no other crate of ours, so that each of them can be tested with it.
//!
//! A missing program (PostgreSQL, chromium) is a panic that names the package; it is never a test skipped in silence.

pub mod browser;
pub mod ca;
pub mod chance;
pub mod client;
pub mod disk;
pub mod nats;
pub mod now;
pub mod order;
pub mod port;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod record;
pub mod sample;
mod serve;
pub mod site;
pub mod smtp;
pub mod targets;
pub mod until;
pub mod usage;
