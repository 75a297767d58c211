//! What the bill is asked about.

use std::time::Duration;

use clap::Args;
use gazer_domain::cadence::validate_interval;
use gazer_domain::region::MOST_REGIONS;
use gazer_domain::time::parse_duration;

use crate::cli::{align, between};

/// Lambda bills each begun millisecond, and ends an invocation after 15 minutes.
const SHORTEST_INVOCATION: Duration = Duration::from_millis(1);
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

#[derive(Debug, Args)]
#[command(after_help = "Durations are assumed until you give measured ones.")]
pub(crate) struct CostFlags {
    /// How many monitors there are.
    #[arg(long, value_name = "N", value_parser = between::<1, 10_000_000>)]
    pub(crate) monitors: u32,
    /// How often each is checked.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = interval)]
    pub(crate) interval: Duration,
    /// From how many regions each is checked.
    #[arg(long, value_name = "N", default_value = "1", value_parser = between::<1, { MOST_REGIONS as u32 }>)]
    pub(crate) regions: u32,
    /// Messages to people, per monitor and month.
    #[arg(long, value_name = "N", default_value = "2", value_parser = between::<0, 100_000>)]
    pub(crate) alerts: u32,
    /// Requests for pages and the API, per day.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = between::<0, 1_000_000_000>)]
    pub(crate) requests: u32,
    /// Use the prices of arm64 instead of those of x86.
    #[arg(long)]
    pub(crate) arm: bool,
    /// Take off what each account may use for nothing each month, for good.
    #[arg(long)]
    pub(crate) free_tier: bool,
    /// Print the bill as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
}

/// How checks travel, and what functions take for them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Batches and durations")]
pub(crate) struct WorkFlags {
    /// Checks that fill a message, and with it an invocation.
    #[arg(long, value_name = "N", default_value = "50", value_parser = between::<1, 500>)]
    pub(crate) batch: u32,
    /// How far apart the instants are at which monitors are due; up to the last one in each minute, plan is up.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = align)]
    pub(crate) align: Duration,
    /// The part of all monitors whose last check took more than 2 s; they travel in batches of their own.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = percent)]
    pub(crate) troubled: f64,
    /// MiB of memory that the function check is given.
    #[arg(long, value_name = "MIB", default_value = "128", value_parser = between::<128, 10_240>)]
    pub(crate) memory: u32,
    /// How long check takes for a batch of healthy monitors.
    #[arg(long, value_name = "DURATION", default_value = "1200ms", value_parser = invocation)]
    pub(crate) batch_duration: Duration,
    /// How long check takes for a batch of troubled monitors, which is as long as for its slowest.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = invocation)]
    pub(crate) troubled_duration: Duration,
    /// How long judge takes for a message of observations.
    #[arg(long, value_name = "DURATION", default_value = "60ms", value_parser = invocation)]
    pub(crate) judge_duration: Duration,
    /// How long one check takes on average, where each is an invocation.
    #[arg(long, value_name = "DURATION", default_value = "350ms", value_parser = invocation)]
    pub(crate) check_duration: Duration,
}

fn interval(text: &str) -> Result<Duration, String> {
    validate_interval(parse_duration(text)?).map_err(|invalid| invalid.message)
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let part = percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0);
    part.ok_or_else(|| "must be between 0% and 100%, as in 1%".into())
}

fn invocation(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text)?;
    let within = (SHORTEST_INVOCATION..=LONGEST_INVOCATION).contains(&length);
    if within { Ok(length) } else { Err("must be between 1ms and 15m, as Lambda bills it".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_its_sign_and_is_a_part() {
        assert_eq!((percent("1%"), percent("0.5 %"), percent("100%")), (Ok(0.01), Ok(0.005), Ok(1.0)));
        for wrong in ["1", "0.01", "120%", "-1%", "NaN%", "%", "one%"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}
