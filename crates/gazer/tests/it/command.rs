//! The real binary, run to its end.

use std::process::{Command, Stdio};

use tokio::task::spawn_blocking;

pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Without the caller's `GAZER_…` variables, which would be arguments too.
pub(crate) fn gazer(arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazer"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GAZER_") {
            command.env_remove(name);
        }
    }
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("the binary can be run");
    Ended {
        code: output.status.code().expect("it ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

/// The same beside a site that has to be served meanwhile.
pub(crate) async fn gazer_beside(arguments: &[&str]) -> Ended {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let run = move || gazer(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    spawn_blocking(run).await.expect("it runs to its end")
}
