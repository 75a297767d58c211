//! Two bills as JSON, with all that they rest on. The shape is fixed: programs read it. Each name ends in its unit.

use serde_json::{Value, json};

use super::Reckoning;
use super::bill::{Bill, Line, Part, Unit};
use super::design::Case;
use super::prices::{DATE, PRICES, REGION, SOURCE, UNCONFIRMED};

const MILLION: f64 = 1e6;

pub(crate) fn document(reckoning: &Reckoning) -> Value {
    let Reckoning { case, terms, bills, verified } = reckoning;
    let [batched, single] = bills.each_ref().map(bill);
    json!({
        "checks_per_day": exact(case.checks_per_day()),
        "processor": terms.processor.as_str(),
        "assumptions": assumptions(case),
        "batched": batched,
        "single": single,
        "batched_if_troubled_time_out": {
            "troubled_duration_seconds": verified.duration.as_secs_f64(),
            "more_usd_per_month": exact(verified.more_usd),
        },
        "prices": prices(),
    })
}

fn assumptions(case: &Case) -> Value {
    json!({
        "monitors": case.monitors as u64,
        "interval_seconds": case.interval.as_secs_f64(),
        "regions": case.regions as u64,
        "alerts_per_monitor_and_month": case.alerts as u64,
        "requests_per_day": case.requests as u64,
        "checks_per_batch": case.batch as u64,
        "align_seconds": case.align.as_secs_f64(),
        "plan_seconds_per_minute": case.plan_seconds(),
        "troubled_percent": exact(case.troubled * 100.0),
        "check_memory_mib": case.memory_mib as u64,
        "batch_duration_seconds": case.batch_duration.as_secs_f64(),
        "troubled_duration_seconds": case.troubled_duration.as_secs_f64(),
        "judge_duration_seconds": case.judge_duration.as_secs_f64(),
        "check_duration_seconds": case.check_duration.as_secs_f64(),
    })
}

fn bill(bill: &Bill) -> Value {
    let of = |part: Part| bill.lines.iter().filter(|line| line.part == part).map(line).collect::<Vec<_>>();
    json!({
        "lines": of(Part::Work),
        "database_and_endpoint": of(Part::Fixed),
        "beside_database_and_endpoint_usd_per_month": exact(bill.work_usd()),
        "database_and_endpoint_usd_per_month": exact(bill.fixed_usd()),
        "usd_per_month": exact(bill.total_usd()),
        "average_usd_per_million_checks": exact(bill.average_million_usd()),
        "marginal_usd_per_million_checks": exact(bill.next_million_usd),
    })
}

fn line(line: &Line) -> Value {
    let mut value = json!({"name": line.name, "usd_per_month": exact(line.usd)});
    let quantity = match line.unit {
        Unit::Requests => "requests_per_month",
        Unit::GbSeconds => "gb_seconds_per_month",
        Unit::Publishes => "publishes_per_month",
        Unit::Invocations => "invocations_per_month",
        Unit::Gb => "gb_per_month",
        Unit::Alarms => "alarms",
        Unit::Hours => "hours_per_month",
        Unit::GibMonths => "gib",
        Unit::Usd => return value,
    };
    value[quantity] = Value::from(exact(line.quantity));
    value
}

fn prices() -> Value {
    let per_million = |usd: f64| exact(usd * MILLION);
    json!({
        "region": REGION,
        "date": DATE,
        "source": SOURCE,
        "unconfirmed": UNCONFIRMED,
        "lambda_usd_per_million_requests": per_million(PRICES.lambda_request),
        "lambda_x86_usd_per_gb_second": PRICES.gb_second_x86,
        "lambda_arm64_usd_per_gb_second": PRICES.gb_second_arm64,
        "sns_usd_per_million_publishes": per_million(PRICES.publish),
        "scheduler_usd_per_million_invocations": per_million(PRICES.scheduler_invocation),
        "logs_ingested_usd_per_gb": PRICES.log_gb_ingested,
        "logs_stored_usd_per_gb_month": PRICES.log_gb_month,
        "data_out_usd_per_gb": PRICES.internet_gb,
        "data_between_regions_usd_per_gb": PRICES.between_regions_gb,
        "endpoint_usd_per_hour": PRICES.endpoint_hour,
        "endpoint_usd_per_gb": PRICES.endpoint_gb,
        "http_api_usd_per_million_requests": per_million(PRICES.http_api_request),
        "alarm_usd_per_month": PRICES.alarm_month,
        "database_storage_usd_per_gib_month": PRICES.storage_gib_month,
    })
}

/// To a millionth: what comes after it is the arithmetic's.
fn exact(number: f64) -> f64 {
    (number * MILLION).round() / MILLION
}
