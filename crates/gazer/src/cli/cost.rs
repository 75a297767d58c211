//! `gazer cost`: what a month of Gazer on AWS costs, beside the naive design of one invocation for each check.
//!
//! Nothing is asked and nothing is stored. [`design`] counts what a month uses, [`prices`] says what AWS asks for it,
//! [`bill`] multiplies; all three are pure. How long functions take is assumed until it was measured, and can be given.

mod bill;
mod design;
mod flags;
mod json;
mod prices;
mod render;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use gazer_domain::http::DEFAULT_TIMEOUT;
use gazer_domain::monitor::Verify;

use self::bill::{Bill, Processor, Terms};
use self::design::{Case, Design};
use self::prices::Allowances;
use super::say;
pub(crate) use flags::CostFlags;

pub(crate) fn run(flags: &CostFlags) -> ExitCode {
    let reckoning = Reckoning::of(case(flags), terms(flags));
    if flags.json {
        say(&format!("{:#}", json::document(&reckoning)));
    } else {
        say(render::page(&reckoning).trim_end());
    }
    ExitCode::SUCCESS
}

/// All that is printed.
#[derive(Debug)]
struct Reckoning {
    case: Case,
    terms: Terms,
    /// Ours and the naive one.
    bills: [Bill; 2],
    verified: Verified,
}

/// The worst that a batch of troubled monitors does: to run into each timeout of a check and of its verification.
#[derive(Debug)]
struct Verified {
    duration: Duration,
    more_usd: f64,
}

impl Reckoning {
    fn of(case: Case, terms: Terms) -> Self {
        let bills = [Design::Batched, Design::Single].map(|design| Bill::of(design, &case, &terms));
        let duration = Verify::default().longest(DEFAULT_TIMEOUT);
        let slow = Bill::of(Design::Batched, &Case { troubled_duration: duration, ..case }, &terms);
        let verified = Verified { duration, more_usd: slow.work_usd() - bills[0].work_usd() };
        Self { case, terms, bills, verified }
    }
}

fn case(flags: &CostFlags) -> Case {
    let work = &flags.work;
    Case {
        monitors: flags.monitors.into(),
        interval: flags.interval,
        regions: flags.regions.into(),
        alerts: flags.alerts.into(),
        requests: flags.requests.into(),
        batch: work.batch.into(),
        align: work.align,
        troubled: work.troubled,
        memory_mib: work.memory.into(),
        batch_duration: work.batch_duration,
        troubled_duration: work.troubled_duration,
        judge_duration: work.judge_duration,
        check_duration: work.check_duration,
    }
}

fn terms(flags: &CostFlags) -> Terms {
    Terms {
        processor: if flags.arm { Processor::Arm64 } else { Processor::X86 },
        allowances: if flags.free_tier { Allowances::ALWAYS_FREE } else { Allowances::NONE },
    }
}
