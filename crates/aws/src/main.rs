//! `bootstrap`: every function of Gazer as a Lambda function, and the pages as another.
//!
//! One binary serves them all. `GAZER_FUNCTION` says which one this process is: a name of the registry, or `web`. A
//! function is invoked by its own SNS topic or by the clock ([`event`]), runs as it does everywhere else, and what it
//! publishes is carried to the topics of others before its invocation ends ([`carry`], [`sns`]). What
//! SNS hands over twice is sent once ([`claims`]). Between invocations a process is frozen, so nothing here counts on
//! time to pass.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod authorities;
mod batches;
mod carry;
mod claims;
mod crash;
mod event;
mod log;
mod own;
mod serve;
mod sns;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    let heard = log::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a thread and an epoll handle can be had at start");
    match runtime.block_on(serve::serve(heard)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!("this function cannot start: {err:#}");
            ExitCode::FAILURE
        }
    }
}
