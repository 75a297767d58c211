//! What a function says of itself: JSON lines on standard error, which Lambda carries to the function's log group.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// `GAZER_LOG` decides what is said; without it what is wrong, since every line is paid for.
pub(crate) fn start() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).with_env_var("GAZER_LOG");
    // Lambda writes the time of each line beside it.
    let lines = tracing_subscriber::fmt().json().flatten_event(true).without_time();
    lines.with_env_filter(filter.from_env_lossy()).with_writer(std::io::stderr).init();
}
