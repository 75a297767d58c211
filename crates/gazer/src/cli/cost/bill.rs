//! A month's [`Usage`] at the [`PRICES`]: lines, their sums, and what one more check costs.

use super::design::{Case, Design, HOURS, Usage};
use super::prices::{Allowances, PRICES, database_class};

const MILLION: f64 = 1e6;
/// A log is taken in, and stays for a month.
const LOG_GB: f64 = PRICES.log_gb_ingested + PRICES.log_gb_month;
/// What the next checks cost is seen by adding a tenth of them.
const MORE: f64 = 1.1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processor {
    X86,
    Arm64,
}

impl Processor {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::Arm64 => "arm64",
        }
    }

    fn gb_second(self) -> f64 {
        match self {
            Self::X86 => PRICES.gb_second_x86,
            Self::Arm64 => PRICES.gb_second_arm64,
        }
    }
}

/// On which terms a [`Case`] is billed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) processor: Processor,
    pub(crate) allowances: Allowances,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Requests,
    GbSeconds,
    Publishes,
    Invocations,
    Gb,
    Alarms,
    Hours,
    GibMonths,
    /// What is taken off is no quantity.
    Usd,
}

/// What the sums tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Functions, messages and whatever else goes with the work.
    Work,
    /// The database, and the hours of the endpoint through which `plan` reaches SNS.
    Fixed,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) part: Part,
    pub(crate) quantity: f64,
    pub(crate) unit: Unit,
    pub(crate) usd: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct Bill {
    /// The same lines in the same order for each design.
    pub(crate) lines: Vec<Line>,
    pub(crate) checks: f64,
    /// What a million checks more would cost, database and endpoint aside.
    pub(crate) next_million_usd: f64,
}

impl Bill {
    pub(crate) fn of(design: Design, case: &Case, terms: &Terms) -> Self {
        let more = Case { monitors: case.monitors * MORE, ..*case };
        let (lines, checks) = (lines(design, case, terms), case.checks_per_month());
        let added = sum(&self::lines(design, &more, terms), Part::Work) - sum(&lines, Part::Work);
        let next_million_usd = added / (more.checks_per_month() - checks) * MILLION;
        Self { lines, checks, next_million_usd }
    }

    pub(crate) fn work_usd(&self) -> f64 {
        sum(&self.lines, Part::Work)
    }

    pub(crate) fn fixed_usd(&self) -> f64 {
        sum(&self.lines, Part::Fixed)
    }

    pub(crate) fn total_usd(&self) -> f64 {
        self.work_usd() + self.fixed_usd()
    }

    /// What a million checks cost on average, database and endpoint aside.
    pub(crate) fn average_million_usd(&self) -> f64 {
        self.work_usd() / self.checks * MILLION
    }
}

fn sum(lines: &[Line], part: Part) -> f64 {
    lines.iter().filter(|line| line.part == part).map(|line| line.usd).sum()
}

fn lines(design: Design, case: &Case, terms: &Terms) -> Vec<Line> {
    let used = Usage::of(design, case);
    let gb_second = terms.processor.gb_second();
    let mut lines = vec![work("Lambda requests", used.invocations(), Unit::Requests, PRICES.lambda_request)];
    for function in &used.functions {
        lines.push(work(&format!("Lambda {}", function.name), function.gb_seconds, Unit::GbSeconds, gb_second));
    }
    lines.extend([
        work("SNS publishes", used.publishes, Unit::Publishes, PRICES.publish),
        work("Scheduler", used.scheduler_invocations, Unit::Invocations, PRICES.scheduler_invocation),
        work("Logs", used.logs_gb, Unit::Gb, LOG_GB),
        work("Data out", used.internet_gb, Unit::Gb, PRICES.internet_gb),
        work("Data between regions", used.between_regions_gb, Unit::Gb, PRICES.between_regions_gb),
        work("Data through endpoint", used.endpoint_gb, Unit::Gb, PRICES.endpoint_gb),
        work("HTTP API", used.http_api_requests, Unit::Requests, PRICES.http_api_request),
        work("Alarms", used.alarms, Unit::Alarms, PRICES.alarm_month),
    ]);
    let free = free_usd(&used, &terms.allowances, gb_second);
    if free > 0.0 {
        lines.push(work("Always free", -free, Unit::Usd, 1.0));
    }
    lines.extend(fixed(case));
    lines
}

/// What is used of the allowances, at its price.
fn free_usd(used: &Usage, free: &Allowances, gb_second: f64) -> f64 {
    [
        (free.lambda_requests, used.invocations(), PRICES.lambda_request),
        (free.gb_seconds, used.gb_seconds(), gb_second),
        (free.publishes, used.publishes, PRICES.publish),
        (free.scheduler_invocations, used.scheduler_invocations, PRICES.scheduler_invocation),
        (free.logs_gb, used.logs_gb, LOG_GB),
        (free.internet_gb, used.internet_gb, PRICES.internet_gb),
        (free.alarms, used.alarms, PRICES.alarm_month),
    ]
    .iter()
    .map(|(free, used, price)| free.min(*used) * price)
    .sum()
}

fn fixed(case: &Case) -> [Line; 3] {
    let class = database_class(case.checks_per_day());
    [
        work(&format!("Database {}", class.name), HOURS, Unit::Hours, class.usd_per_hour),
        work("Database storage", case.storage_gib(), Unit::GibMonths, PRICES.storage_gib_month),
        work("SNS endpoint", HOURS, Unit::Hours, PRICES.endpoint_hour),
    ]
    .map(|line| Line { part: Part::Fixed, ..line })
}

fn work(name: &str, quantity: f64, unit: Unit, price: f64) -> Line {
    Line { name: name.to_owned(), part: Part::Work, quantity, unit, usd: quantity * price }
}
