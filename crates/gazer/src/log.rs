//! What Gazer says of itself: one line per event, on standard error, so that standard output belongs to the answer.

use std::io::IsTerminal;

use gazer_bus::clock::system_now;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::Command;
use crate::issues::{self, Heard};

/// `GAZER_LOG` decides what is said. Without it a service tells what it does, and a command of a moment only what is
/// wrong. Answers with what goes wrong, for whoever can report it.
pub(crate) fn start(command: &Command) -> Heard {
    let level = match command {
        Command::Serve(_) => LevelFilter::INFO,
        Command::Aws(_)
        | Command::Demo(_)
        | Command::Check(_)
        | Command::Cost(_)
        | Command::Issues(_)
        | Command::Region(_)
        | Command::Team(_)
        | Command::Token(_)
        | Command::User(_) => LevelFilter::WARN,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into()).with_env_var("GAZER_LOG").from_env_lossy();
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour);
    let (ear, heard) = issues::hear(system_now);
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(ear).init();
    heard
}
