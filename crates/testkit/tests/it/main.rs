//! The kit itself keeps its word: what it serves, records and starts is what the other crates' tests rely on.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod browser;
mod postgres;
mod receiver;
mod site;
mod smtp;
mod targets;
