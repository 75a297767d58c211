//! The deployment, on an emulator of AWS that runs the real functions. `make aws-test` installs what this needs.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod failures;
mod load;
mod regions;
mod rest;
mod stack;
mod story;
mod table;
mod template;
