//! `gazer check URL`: one check, as a monitor would make it, from the command line.

mod json;
mod render;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::Context;
use gazer_bus::clock::system_now;
use gazer_domain::http::{HttpSpec, parse_url};
use gazer_domain::monitor::Verify;
use gazer_domain::verdict::Verdict;
use gazer_domain::{Invalid, MonitorId};
use gazer_probes::{Config, Job, Keep, Prober};

use super::{CheckFlags, Failure, UNKNOWN, say};

pub(crate) async fn run(flags: CheckFlags) -> Result<ExitCode, Failure> {
    let spec = spec(&flags).map_err(|invalid| Failure::usage(flag_of(&invalid.field), invalid.message))?;
    // Witnesses earn their vote by an hour's answers, which one check does not have.
    let config = Config { egress: flags.egress, witnesses: Vec::new(), ..Config::new(system_now) };
    let prober = Prober::new(config).context("the prober could not be set up")?;
    let plan = prober.compile(&spec).map_err(|invalid| Failure::usage(flag_of(&invalid.field), invalid.message))?;
    let verify = if flags.no_verify { Verify { attempts: 0, ..Verify::default() } } else { Verify::default() };
    let job =
        Job { monitor: MonitorId::from_bits(0), revision: 0, slot: system_now(), plan, verify, keep: Keep::Everything };
    let seen = prober.check(&job, system_now).await;
    if flags.json {
        say(&format!("{:#}", json::document(&seen)));
    } else {
        say(render::page(&seen).trim_end());
    }
    Ok(exit_code(seen.judgement.verdict))
}

fn spec(flags: &CheckFlags) -> Result<HttpSpec, Invalid> {
    let spec = HttpSpec {
        method: flags.method,
        headers: flags.headers.clone(),
        timeout: flags.timeout,
        ..HttpSpec::get(parse_url(&flags.url)?)
    };
    spec.validate()?;
    Ok(spec)
}

/// The flag that holds what the domain calls by its path.
fn flag_of(field: &str) -> &'static str {
    match field {
        "http.timeout" => "--timeout <DURATION>",
        "http.method" => "--method <METHOD>",
        field if field.starts_with("http.headers") => "--header <HEADER>",
        _ => "<URL>",
    }
}

fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Up | Verdict::Slow => ExitCode::SUCCESS,
        Verdict::Down => ExitCode::from(1),
        Verdict::Unknown => ExitCode::from(UNKNOWN),
    }
}
