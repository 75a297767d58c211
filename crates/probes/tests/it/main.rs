//! The probes against the world: real sockets on loopback, and a network made of tables where the world is needed.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod plain;
