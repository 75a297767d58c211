//! Gazer's one binary: reads the command line, prepares logging, and hands over to the command.
//!
//! Everything is put together here and nowhere else: no library knows the configuration, reads the environment or picks
//! its neighbours. `cli` says what can be asked, `config` what it means, `assembly` joins the libraries, and
//! `app` runs what was joined, for `serve` and `demo`. What runs it otherwise begins with [`Config`] and [`Assembly`].
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

mod app;
mod assembly;
mod chance;
mod cli;
mod cluster;
mod config;
pub mod issues;
mod limits;
mod log;
mod metrics;
mod operator;
mod people;
mod place;
mod signals;
mod turn;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use assembly::{Assembly, House, Site, Ties};
pub use chance::secret;
pub use config::Config;

use cli::{Cli, Command, Failure, UNKNOWN, USAGE};

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// The command line.
pub fn main() -> ExitCode {
    if std::env::args_os().len() < 2 {
        cli::say(&Cli::command().render_long_help().ansi().to_string());
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    let heard = log::start(&cli.command);
    let runtime = tokio::runtime::Runtime::new().expect("threads and an epoll handle can be had at start");
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Serve(flags) => cli::serve::run(*flags, heard).await,
            Command::Demo(flags) => cli::demo::run(flags, heard).await,
            Command::Check(flags) => cli::check::run(flags).await,
            Command::Aws(command) => cli::aws::run(command),
            Command::Cost(flags) => Ok(cli::cost::run(&flags)),
            Command::Issues(flags) => cli::issues::run(flags).await,
            Command::Region(command) => cli::region::run(command).await,
            Command::Team(command) => cli::team::run(command).await,
            Command::Token(command) => cli::token::run(command).await,
            Command::User(command) => cli::user::run(command).await,
        }
    });
    // What is still at work has had its time to end; a stuck resolver thread must not hold the process.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(Failure::Usage(why)) => {
            anstream::eprintln!("{RED}error:{RED:#} {why}\n\nFor more information, try '--help'.");
            ExitCode::from(USAGE)
        }
        Err(Failure::Broken(err)) => {
            anstream::eprintln!("{RED}error:{RED:#} {err:#}");
            ExitCode::from(UNKNOWN)
        }
    }
}
