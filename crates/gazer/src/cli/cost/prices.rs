//! What AWS asks: one table, with the day and the place that it is of.
//!
//! All are the first tier, on demand, in US dollars without tax. Each was compared with what others copied from the
//! pages of [`SOURCE`], not with the pages themselves; [`UNCONFIRMED`] says what is left in doubt. Whoever changes a
//! price changes [`DATE`].

/// When the table was last compared.
pub(crate) const DATE: &str = "2026-11-27";
pub(crate) const REGION: &str = "us-east-1";
/// The pricing pages of Lambda, SNS, EventBridge, CloudWatch, API Gateway, VPC (PrivateLink), RDS and EC2 (data
/// transfer).
pub(crate) const SOURCE: &str = "https://aws.amazon.com/pricing/";
pub(crate) const UNCONFIRMED: [&str; 5] = [
    "all: they were compared with copies of AWS's pages, the newest of September 2026",
    "that SNS asks nothing for handing a message to Lambda: one copy says so",
    "db.m7g.large and db.m7g.xlarge with PostgreSQL: copies differ by a tenth",
    "between regions: 0.02 holds for most pairs that begin in us-east-1, others ask up to 0.09",
    "what other regions ask: they are billed here as if they were us-east-1, which is among the cheapest",
];

const MILLION: f64 = 1e6;

/// US dollars for one of what each name says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prices {
    pub(crate) lambda_request: f64,
    pub(crate) gb_second_x86: f64,
    pub(crate) gb_second_arm64: f64,
    /// To a standard topic. SNS asks nothing for handing a message to Lambda.
    pub(crate) publish: f64,
    pub(crate) scheduler_invocation: f64,
    pub(crate) log_gb_ingested: f64,
    pub(crate) log_gb_month: f64,
    pub(crate) internet_gb: f64,
    pub(crate) between_regions_gb: f64,
    /// Of an interface endpoint in one zone.
    pub(crate) endpoint_hour: f64,
    pub(crate) endpoint_gb: f64,
    pub(crate) http_api_request: f64,
    pub(crate) alarm_month: f64,
    /// Of gp3.
    pub(crate) storage_gib_month: f64,
}

pub(crate) const PRICES: Prices = Prices {
    lambda_request: 0.20 / MILLION,
    gb_second_x86: 0.000_016_666_7,
    gb_second_arm64: 0.000_013_333_4,
    publish: 0.50 / MILLION,
    scheduler_invocation: 1.00 / MILLION,
    log_gb_ingested: 0.50,
    log_gb_month: 0.03,
    internet_gb: 0.09,
    between_regions_gb: 0.02,
    endpoint_hour: 0.01,
    endpoint_gb: 0.01,
    http_api_request: 1.00 / MILLION,
    alarm_month: 0.10,
    storage_gib_month: 0.115,
};

/// A size of RDS for PostgreSQL in one zone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatabaseClass {
    pub(crate) name: &'static str,
    pub(crate) usd_per_hour: f64,
    /// How many checks a day we would give it. A guess: writing a check costs a PostgreSQL 12 µs of CPU, so what fills
    /// up first is the memory for the rows of seven days, and the credits of a burstable class.
    pub(crate) most_checks_per_day: f64,
}

/// From small to large. What is more than the last one takes is given to it all the same.
pub(crate) const DATABASE_CLASSES: [DatabaseClass; 6] = [
    DatabaseClass { name: "db.t4g.micro", usd_per_hour: 0.016, most_checks_per_day: 1e6 },
    DatabaseClass { name: "db.t4g.small", usd_per_hour: 0.032, most_checks_per_day: 3e6 },
    DatabaseClass { name: "db.t4g.medium", usd_per_hour: 0.065, most_checks_per_day: 12e6 },
    DatabaseClass { name: "db.t4g.large", usd_per_hour: 0.129, most_checks_per_day: 25e6 },
    DatabaseClass { name: "db.m7g.large", usd_per_hour: 0.168, most_checks_per_day: 50e6 },
    DatabaseClass { name: "db.m7g.xlarge", usd_per_hour: 0.337, most_checks_per_day: f64::INFINITY },
];

pub(crate) fn database_class(checks_per_day: f64) -> DatabaseClass {
    let fits = |class: &&DatabaseClass| checks_per_day <= class.most_checks_per_day;
    *DATABASE_CLASSES.iter().find(fits).expect("the last class takes any number")
}

/// What each account may use each month before it pays, for good and not in its first year only. RDS and the API
/// Gateway have no such part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowances {
    pub(crate) lambda_requests: f64,
    pub(crate) gb_seconds: f64,
    pub(crate) publishes: f64,
    pub(crate) scheduler_invocations: f64,
    pub(crate) logs_gb: f64,
    pub(crate) internet_gb: f64,
    pub(crate) alarms: f64,
}

impl Allowances {
    pub(crate) const NONE: Self = Self {
        lambda_requests: 0.0,
        gb_seconds: 0.0,
        publishes: 0.0,
        scheduler_invocations: 0.0,
        logs_gb: 0.0,
        internet_gb: 0.0,
        alarms: 0.0,
    };
    pub(crate) const ALWAYS_FREE: Self = Self {
        lambda_requests: 1e6,
        gb_seconds: 400_000.0,
        publishes: 1e6,
        scheduler_invocations: 14e6,
        logs_gb: 5.0,
        internet_gb: 100.0,
        alarms: 10.0,
    };
}
