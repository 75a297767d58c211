//! One suite, both engines; and what only SQLite's files have.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod conformance;
mod files;
mod world;
