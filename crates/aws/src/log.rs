//! What a function says of itself: JSON lines on standard error, which Lambda carries to the function's log group.

use gazer::issues::{self, Heard};
use gazer_bus::clock::system_now;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// `GAZER_LOG` decides what is said; without it what is wrong, since every line is paid for. Answers with what goes
/// wrong, for whoever can report it.
pub(crate) fn start() -> Heard {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).with_env_var("GAZER_LOG");
    // Lambda writes the time of each line beside it.
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).without_time();
    let lines = lines.with_writer(std::io::stderr).with_filter(filter.from_env_lossy());
    let (ear, heard) = issues::hear(system_now);
    tracing_subscriber::registry().with(lines).with(ear).init();
    heard
}
