//! What the bus promises between processes, over a real server.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod nats;
