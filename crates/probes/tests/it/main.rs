//! The probes against the world: real sockets on loopback, and a network made of tables where the world is needed.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod budget;
mod canary;
mod crowd;
mod dial;
mod dns;
mod plain;
mod ssrf;
mod targets;
mod witness;
mod world;
