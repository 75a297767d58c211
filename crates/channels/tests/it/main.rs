//! Real messages to a real receiver and a real mail server, on loopback.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should say where"))]

mod email;
mod story;
mod webhook;
