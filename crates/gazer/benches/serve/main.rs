//! What a check costs end to end, and whether every slot is kept.
//!
//! `cargo bench -p gazer --bench serve -- [--seconds 600] [PART …]`, parts: load, tls, latency, restart, stall, noisy.
//!
//! The real binary, release build, SQLite, on real sockets of this machine. The targets run in a process of their own,
//! so that their time is not counted, and write down when each request arrived. A slot is a pure function of the
//! monitor's id, so the bench knows when each request was due without asking Gazer. Beside it a bare timer sleeps to
//! the same slots: what it is late by is the machine's lateness, not ours.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures go to standard output, progress to standard error"
)]

mod latency;
mod load;
mod noisy;
mod rig;
mod targets;

use std::time::Duration;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == "--targets") {
        return targets::serve(&args[1..]).await;
    }
    let seconds = args.iter().position(|arg| arg == "--seconds").and_then(|i| args.get(i + 1)?.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(600));
    let wanted = |part: &str| {
        let named: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-') && arg.parse::<u64>().is_err()).collect();
        named.is_empty() || named.iter().any(|name| *name == part)
    };
    if wanted("load") {
        load::run(5_000, targets::Scheme::Http, length).await;
    }
    if wanted("tls") {
        load::run(1_000, targets::Scheme::Https, length).await;
    }
    if wanted("latency") {
        latency::run().await;
    }
    if wanted("restart") {
        load::restart(5_000).await;
    }
    if wanted("stall") {
        load::stall(1_000, 20).await;
    }
    if wanted("noisy") {
        noisy::run(100).await;
    }
}
