//! What Gazer says of itself: one line per event, on standard error, so that standard output belongs to the answer.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::Command;

/// `GAZER_LOG` decides what is said. Without it a service tells what it does, and a command of a moment only what is
/// wrong.
pub(crate) fn start(command: &Command) {
    let level = match command {
        Command::Serve(_) => LevelFilter::INFO,
        Command::Demo(_)
        | Command::Check(_)
        | Command::Cost(_)
        | Command::Region(_)
        | Command::Team(_)
        | Command::Token(_)
        | Command::User(_) => LevelFilter::WARN,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into()).with_env_var("GAZER_LOG").from_env_lossy();
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
}
