//! What a month of Gazer uses on AWS, counted in what AWS bills. No price is known here.
//!
//! `plan` comes with each minute, and is up until the last instant in it at which something is due; then, or where the
//! next one comes while it is up, it hands on. It hands due checks to SNS, a batch as one message; SNS starts `check`
//! with it, in each region. What is well comes back as one message per batch,
//! what is not as one message each and at once. SNS starts `judge` with each message. Whoever is to be told costs a
//! bell, a message to `send`, its receipt to `settle`, and a bell for what may have waited behind it. `deliver`,
//! `escalate`, `audit`, `inform` and `expire` also come with the clock, and in each region `look`.
//!
//! Monitors whose last check took long travel apart, so that their timeouts do not keep the healthy ones' functions up.
//!
//! The naive [`Design::Single`] is the same with a message and an invocation for each check.
//!
//! Left out, because it is cents: `issue`, which runs when we err; the row in which `send`
//! takes up a claim; bells for `plan`; what mail and webhooks weigh; cold starts, which belong to the durations that are
//! measured; retries of SNS. What AWS counts in binary gigabytes is counted in decimal ones, which is up to 7 % too much.

use std::time::Duration;

use gazer_domain::cadence::AFTER_THE_MINUTE;

/// What AWS calls a month: 365 days of 24 hours by 12.
pub(crate) const HOURS: f64 = 730.0;
const MINUTES: f64 = HOURS * 60.0;
const SECONDS: f64 = HOURS * 3_600.0;
const DAYS: f64 = HOURS / 24.0;

/// A `plan` looks in steps whether it may rest, and one that may not is up a bit longer than its minute, while the next
/// one starts and takes over.
const PLAN_STEP_SECONDS: f64 = 1.5;
const MINUTE_SECONDS: f64 = 60.0;
/// A look at what is due when nothing is: one query. Assumed.
const LOOK_SECONDS: f64 = 0.05;
/// A look at ourselves: two canaries, and witnesses one or two network trips away. Assumed.
const SELF_SECONDS: f64 = 0.3;
/// Deleting an hour's worth of old checks in batches. Assumed.
const EXPIRE_SECONDS: f64 = 0.5;
/// A webhook or a mail to a service that is well. Assumed.
const SEND_SECONDS: f64 = 0.4;
/// A page with its queries. Assumed.
const PAGE_SECONDS: f64 = 0.05;
/// Functions that hold a connection to the database and little else.
const SMALL_MIB: f64 = 128.0;
/// `judge` and the web hold the rows of a batch, or a page.
const LARGE_MIB: f64 = 256.0;

/// A monitor as it is told to `check`: address, headers, assertions, and a sealed part. Assumed.
const DUE_BYTES: f64 = 420.0;
/// A good observation: verdict, phases, certificate. Assumed.
const OBSERVATION_BYTES: f64 = 300.0;
/// What a check sends: a handshake of TLS and a request. What it receives costs nothing. Assumed.
pub(crate) const SENT_BYTES: f64 = 1_500.0;
/// A page as it is sent, compressed. Assumed.
const PAGE_BYTES: f64 = 20_000.0;
/// The line that Lambda itself writes of an invocation, with AWS's overhead of 26 bytes, where START and END are off.
const LOG_BYTES: f64 = 200.0;
/// SNS bills each begun portion of a message as a publish.
const PUBLISH_BYTES: f64 = 65_536.0;
const GB: f64 = 1e9;

/// To be told something takes a publish for the bell, one for what is to be sent, one for the receipt, and another bell.
const PUBLISHES_PER_ALERT: f64 = 4.0;
/// What could not be done, what did not arrive, what is late at `check` and at `judge`, and `plan` that is not there; in
/// each further region the first three.
const ALARMS: f64 = 5.0;
const ALARMS_PER_REGION: f64 = 3.0;

/// How long a check is kept, and what it costs the database with its index and log: 96 bytes were measured.
const KEPT_DAYS: f64 = 7.0;
const ROW_BYTES: f64 = 100.0;
/// Room for everything but checks, and the least that RDS gives of gp3.
const OTHER_GIB: f64 = 5.0;
const LEAST_GIB: f64 = 20.0;
const GIB: f64 = 1_073_741_824.0;

/// What is watched, how people use it, and how long functions take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) monitors: f64,
    pub(crate) interval: Duration,
    pub(crate) regions: f64,
    /// Messages to people, per monitor and month.
    pub(crate) alerts: f64,
    /// Requests for pages and the API, per day.
    pub(crate) requests: f64,
    /// Checks that fill a batch.
    pub(crate) batch: f64,
    /// How far apart the instants are at which monitors are due.
    pub(crate) align: Duration,
    /// Part of the monitors whose last check took long.
    pub(crate) troubled: f64,
    /// What `check` is given.
    pub(crate) memory_mib: f64,
    pub(crate) batch_duration: Duration,
    /// Of a batch of troubled monitors: as long as its slowest check.
    pub(crate) troubled_duration: Duration,
    pub(crate) judge_duration: Duration,
    /// Of a check alone, on average over all of them.
    pub(crate) check_duration: Duration,
}

impl Case {
    pub(crate) fn checks_per_day(&self) -> f64 {
        self.checks_per_month() / DAYS
    }

    pub(crate) fn checks_per_month(&self) -> f64 {
        self.rate() * self.regions * SECONDS
    }

    /// Due checks per second, in each region.
    fn rate(&self) -> f64 {
        self.monitors / self.interval.as_secs_f64()
    }

    /// From one instant at which something is due to the next, if they are the same in every minute.
    fn step(&self) -> Duration {
        self.align.min(self.interval)
    }

    /// How long `plan` is up in each minute, if the clock comes on the minute.
    pub(crate) fn plan_seconds(&self) -> f64 {
        let (step, always) = (self.step().as_secs_f64(), MINUTE_SECONDS + PLAN_STEP_SECONDS);
        let is_same = step > 0.0 && MINUTE_SECONDS % step == 0.0 && self.interval.as_secs_f64() % step == 0.0;
        if !is_same {
            return always;
        }
        (AFTER_THE_MINUTE.as_secs_f64() + MINUTE_SECONDS - step + PLAN_STEP_SECONDS).min(always)
    }

    pub(crate) fn storage_gib(&self) -> f64 {
        let kept = self.checks_per_day() * KEPT_DAYS * ROW_BYTES / GIB;
        (kept + OTHER_GIB).ceil().max(LEAST_GIB)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Design {
    /// Ours.
    Batched,
    /// The naive one: each check is a message and an invocation of its own.
    Single,
}

/// What one function did in a month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) invocations: f64,
    pub(crate) gb_seconds: f64,
}

impl Function {
    fn of(name: &'static str, memory_mib: f64, invocations: f64, seconds: f64) -> Self {
        Self { name, invocations, gb_seconds: seconds * memory_mib / 1_024.0 }
    }
}

/// What a month used, but for the database and the endpoint's hours.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    pub(crate) functions: Vec<Function>,
    pub(crate) publishes: f64,
    pub(crate) scheduler_invocations: f64,
    pub(crate) logs_gb: f64,
    pub(crate) internet_gb: f64,
    pub(crate) between_regions_gb: f64,
    pub(crate) endpoint_gb: f64,
    pub(crate) http_api_requests: f64,
    pub(crate) alarms: f64,
}

impl Usage {
    pub(crate) fn of(design: Design, case: &Case) -> Self {
        let flow = match design {
            Design::Batched => Flow::batched(case),
            Design::Single => Flow::single(case),
        };
        let told = case.monitors * case.alerts;
        let requests = case.requests * DAYS;
        let checks = case.checks_per_month();
        let functions = functions(case, &flow, told, requests);
        // plan, deliver, escalate, audit and inform each minute, as look in each region; expire each hour.
        let clock = (5.0 + case.regions) * MINUTES + HOURS;
        let invocations: f64 = functions.iter().map(|function| function.invocations).sum();
        let abroad = checks * (case.regions - 1.0) / case.regions;
        Self {
            publishes: flow.publishes + told * PUBLISHES_PER_ALERT,
            scheduler_invocations: clock,
            logs_gb: invocations * LOG_BYTES / GB,
            internet_gb: (checks * SENT_BYTES + requests * PAGE_BYTES) / GB,
            // There and back: what is due leaves our region, what was seen leaves the other one.
            between_regions_gb: abroad * (DUE_BYTES + OBSERVATION_BYTES) / GB,
            endpoint_gb: checks * DUE_BYTES / GB,
            http_api_requests: requests,
            alarms: ALARMS + ALARMS_PER_REGION * (case.regions - 1.0),
            functions,
        }
    }

    pub(crate) fn invocations(&self) -> f64 {
        self.functions.iter().map(|function| function.invocations).sum()
    }

    pub(crate) fn gb_seconds(&self) -> f64 {
        self.functions.iter().map(|function| function.gb_seconds).sum()
    }
}

fn functions(case: &Case, flow: &Flow, told: f64, requests: f64) -> Vec<Function> {
    let judge_seconds = flow.observed * case.judge_duration.as_secs_f64();
    let (looks, deliver) = (MINUTES * case.regions, MINUTES + 2.0 * told);
    vec![
        Function::of("plan", SMALL_MIB, MINUTES, MINUTES * case.plan_seconds()),
        Function::of("check", case.memory_mib, flow.batches, flow.check_seconds),
        Function::of("look", SMALL_MIB, looks, looks * SELF_SECONDS),
        Function::of("judge", LARGE_MIB, flow.observed, judge_seconds),
        Function::of("deliver", SMALL_MIB, deliver, deliver * LOOK_SECONDS),
        Function::of("send", SMALL_MIB, told, told * SEND_SECONDS),
        Function::of("settle", SMALL_MIB, told, told * LOOK_SECONDS),
        Function::of("escalate", SMALL_MIB, MINUTES, MINUTES * LOOK_SECONDS),
        Function::of("audit", SMALL_MIB, MINUTES, MINUTES * LOOK_SECONDS),
        Function::of("inform", SMALL_MIB, MINUTES, MINUTES * LOOK_SECONDS),
        Function::of("expire", SMALL_MIB, HOURS, HOURS * EXPIRE_SECONDS),
        Function::of("web", LARGE_MIB, requests, requests * PAGE_SECONDS),
    ]
}

/// A month of checks on their way from `plan` to `judge`, over all regions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Flow {
    /// Invocations of `check`.
    batches: f64,
    check_seconds: f64,
    /// Messages to `judge`.
    observed: f64,
    /// Of both kinds of message, as SNS bills them.
    publishes: f64,
}

impl Flow {
    fn batched(case: &Case) -> Self {
        let of_all_regions = SECONDS * case.regions;
        let (well, troubled) = (case.rate() * (1.0 - case.troubled), case.rate() * case.troubled);
        let healthy = of_all_regions * batches(well, case.batch, case.step());
        let sick = of_all_regions * batches(troubled, case.batch, case.step());
        let (well, troubled) = (of_all_regions * well, of_all_regions * troubled);
        Self {
            batches: healthy + sick,
            check_seconds: healthy_seconds(case, well, healthy) + sick * case.troubled_duration.as_secs_f64(),
            observed: healthy + troubled,
            publishes: publishes(well, healthy, DUE_BYTES)
                + publishes(troubled, sick, DUE_BYTES)
                + publishes(well, healthy, OBSERVATION_BYTES)
                + publishes(troubled, troubled, OBSERVATION_BYTES),
        }
    }

    fn single(case: &Case) -> Self {
        let checks = case.checks_per_month();
        Self {
            batches: checks,
            check_seconds: checks * case.check_duration.as_secs_f64(),
            observed: checks,
            publishes: 2.0 * checks,
        }
    }
}

/// Batches per second of checks that are due at `rate` per second, at instants that are `step` apart. Where hardly one
/// is due at an instant, each is taken to travel alone.
fn batches(rate: f64, batch: f64, step: Duration) -> f64 {
    let company = rate * step.as_secs_f64();
    if company < 1.0 {
        return rate;
    }
    (company / batch).ceil().min(company) / step.as_secs_f64()
}

/// A batch takes its duration, but not longer than its checks would one by one.
fn healthy_seconds(case: &Case, checks: f64, batches: f64) -> f64 {
    (batches * case.batch_duration.as_secs_f64()).min(checks * case.check_duration.as_secs_f64())
}

/// What SNS bills for `items` in so many `messages`.
fn publishes(items: f64, messages: f64, bytes: f64) -> f64 {
    if messages == 0.0 {
        return 0.0;
    }
    messages * (items / messages * bytes / PUBLISH_BYTES).ceil()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case() -> Case {
        Case {
            monitors: 600.0,
            interval: Duration::from_secs(60),
            regions: 1.0,
            alerts: 2.0,
            requests: 960.0,
            batch: 40.0,
            align: Duration::from_secs(60),
            troubled: 0.1,
            memory_mib: 128.0,
            batch_duration: Duration::from_millis(1_200),
            troubled_duration: Duration::from_secs(10),
            judge_duration: Duration::from_millis(60),
            check_duration: Duration::from_millis(350),
        }
    }

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-9 * right.abs(), "{left} is not {right}");
    }

    /// Each minute 540 healthy checks are due, which fill 14 batches of 40, and 60 of the troubled, which fill 2.
    #[test]
    fn a_month_of_batches_by_hand() {
        let flow = Flow::batched(&case());
        let (healthy, sick, troubled) = (43_800.0 * 14.0, 43_800.0 * 2.0, 43_800.0 * 60.0);
        near(flow.batches, healthy + sick);
        near(flow.check_seconds, healthy * 1.2 + sick * 10.0);
        near(flow.observed, healthy + troubled);
        near(flow.publishes, 2.0 * healthy + sick + troubled);
    }

    #[test]
    fn a_month_of_everything_by_hand() {
        let used = Usage::of(Design::Batched, &case());
        let by_name = |name: &str| *used.functions.iter().find(|function| function.name == name).unwrap();
        near(by_name("plan").gb_seconds, 43_800.0 * 6.5 / 8.0);
        near(by_name("check").gb_seconds, 201_480.0);
        near(by_name("judge").gb_seconds, 48_618.0);
        near(by_name("deliver").invocations, 43_800.0 + 2_400.0);
        near(by_name("send").gb_seconds, 1_200.0 * 0.4 / 8.0);
        near(by_name("web").invocations, 29_200.0);
        near(used.scheduler_invocations, 263_530.0);
        near(used.publishes, 3_942_000.0 + 4_800.0);
        near(used.invocations(), 3_942_000.0 + 263_530.0 + 4_800.0 + 29_200.0);
        near(used.logs_gb, used.invocations() * 200.0 / 1e9);
        near(used.internet_gb, 39.42 + 0.584);
        near(used.endpoint_gb, 11.037_6);
        near(used.between_regions_gb, 0.0);
        near(used.alarms, 5.0);
    }

    #[test]
    fn a_month_of_single_checks_by_hand() {
        let flow = Flow::single(&case());
        near(flow.batches, 26_280_000.0);
        near(flow.check_seconds, 9_198_000.0);
        near(flow.observed, 26_280_000.0);
        near(flow.publishes, 52_560_000.0);
    }

    #[test]
    fn each_region_checks_all_of_it_and_only_others_cross_a_border() {
        let (one, three) = (case(), Case { regions: 3.0, ..case() });
        near(Flow::batched(&three).batches, 3.0 * Flow::batched(&one).batches);
        let used = Usage::of(Design::Batched, &three);
        near(used.between_regions_gb, 2.0 * 26_280_000.0 * 720.0 / 1e9);
        near(used.alarms, 11.0);
    }

    #[test]
    fn what_is_due_at_one_instant_shares_batches() {
        let step = Duration::from_secs(5);
        for (rate, expected) in [
            (20.0, 0.4), // two full ones
            (10.2, 0.4), // 51 are due
            (10.0, 0.2),
            (0.2, 0.2),   // one is
            (0.19, 0.19), // mostly none is
            (0.0, 0.0),
        ] {
            near(batches(rate, 50.0, step), expected);
        }
        near(batches(7.0, 50.0, Duration::ZERO), 7.0);
    }

    #[test]
    fn plan_is_up_until_the_last_instant_of_its_minute() {
        for (align, interval, expected) in [
            (60, 60, 6.5),
            (60, 300, 6.5),
            (30, 60, 36.5),
            (60, 10, 56.5), // due each ten seconds
            (60, 90, 61.5), // due now at this second of the minute, and now at that
            (5, 60, 61.5),  // while the next one is there already
            (0, 60, 61.5),  // due all the time
        ] {
            let (align, interval) = (Duration::from_secs(align), Duration::from_secs(interval));
            near(Case { align, interval, ..case() }.plan_seconds(), expected);
        }
    }

    #[test]
    fn a_check_that_travels_alone_takes_no_longer_than_a_check() {
        let few = Case { monitors: 6.0, troubled: 0.0, align: Duration::ZERO, ..case() };
        near(Flow::batched(&few).check_seconds, Flow::single(&few).check_seconds);
    }

    #[test]
    fn each_begun_portion_is_a_publish() {
        near(publishes(156.0, 1.0, DUE_BYTES), 1.0);
        near(publishes(157.0, 1.0, DUE_BYTES), 2.0);
        near(publishes(0.0, 0.0, DUE_BYTES), 0.0);
    }

    #[test]
    fn storage_grows_with_what_is_kept() {
        near(case().storage_gib(), 20.0);
        // 60 million a day: 42 GB of checks are 39.1 GiB.
        near(Case { monitors: 600_000.0 * 60.0 / 864.0, ..case() }.storage_gib(), 45.0);
    }

    proptest! {
        #[test]
        fn a_check_shares_with_no_more_than_fit_and_travels_once(
            rate in 0.0..1e5f64, batch in 1u32..=500, step_ms in 0u64..=60_000,
        ) {
            let batch = f64::from(batch);
            let made = batches(rate, batch, Duration::from_millis(step_ms));
            prop_assert!(made >= rate / batch * (1.0 - 1e-9), "{made} batches for {rate} checks");
            prop_assert!(made <= rate * (1.0 + 1e-9), "{made} batches for {rate} checks");
        }

        #[test]
        fn more_checks_never_use_less(rate in 0.0..1e4f64, more in 1.0..3.0f64, step_ms in 0u64..=60_000) {
            let step = Duration::from_millis(step_ms);
            prop_assert!(batches(rate, 50.0, step) <= batches(rate * more, 50.0, step) * (1.0 + 1e-9));
        }
    }
}
