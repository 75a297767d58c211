//! Bills of whole installations: what they come to, and how they are shown.

use clap::Parser;

use super::bill::{Bill, Line, Part};
use super::prices::database_class;
use super::{Reckoning, case, json, render, terms};
use crate::cli::{Cli, Command};

/// What `gazer cost` reckons with these arguments.
fn reckon(arguments: &str) -> Reckoning {
    let words = ["gazer", "cost"].into_iter().chain(arguments.split_whitespace());
    let Command::Cost(flags) = Cli::parse_from(words).command else { panic!("{arguments} is no cost") };
    Reckoning::of(case(&flags), terms(&flags))
}

fn ours(arguments: &str) -> Bill {
    let [ours, _] = reckon(arguments).bills;
    ours
}

fn usd(bill: &Bill, name: &str) -> f64 {
    let line = bill.lines.iter().find(|line| line.name == name);
    line.unwrap_or_else(|| panic!("there is no {name}")).usd
}

fn near(left: f64, right: f64) {
    assert!((left - right).abs() < 0.005, "{left} is not {right}");
}

#[test]
fn ten_million_checks_a_day_cost_at_most_30_cents_a_million() {
    for bill in [ours("--monitors 6945"), ours("--monitors 6945 --align 5s")] {
        assert!(bill.next_million_usd <= 0.30, "{} for a million more", bill.next_million_usd);
        assert!(bill.average_million_usd() <= 0.30, "{} on average", bill.average_million_usd());
    }
}

#[test]
fn six_hundred_thousand_checks_a_day_cost_at_most_ten_dollars() {
    for arguments in ["--monitors 417", "--monitors 417 --troubled-duration 32s"] {
        let bill = ours(arguments);
        assert!(bill.work_usd() <= 10.0, "{} with {arguments}", bill.work_usd());
    }
}

/// The case that the formulas are held with, at its prices.
#[test]
fn a_bill_by_hand() {
    let [ours, naive] = reckon("--monitors 600 --troubled 10% --batch 40 --requests 960").bills;
    near(usd(&ours, "Lambda requests"), 4.239_53 * 0.2);
    near(usd(&ours, "Lambda check"), 201_480.0 * 0.000_016_666_7);
    near(usd(&ours, "SNS publishes"), 3.946_8 * 0.5);
    near(usd(&ours, "Scheduler"), 0.263_53);
    near(usd(&ours, "Logs"), 4.239_53 * 0.2 * 0.53);
    near(usd(&ours, "Data out"), 40.004 * 0.09);
    near(usd(&ours, "Data through endpoint"), 0.110_376);
    near(usd(&ours, "HTTP API"), 0.029_2);
    near(usd(&ours, "Alarms"), 0.5);
    near(usd(&ours, "Database db.t4g.micro"), 11.68);
    near(usd(&ours, "Database storage"), 2.30);
    near(usd(&ours, "SNS endpoint"), 7.30);
    near(usd(&naive, "Lambda check"), 9_198_000.0 / 8.0 * 0.000_016_666_7);
    near(ours.total_usd(), ours.lines.iter().map(|line| line.usd).sum());
    near(ours.average_million_usd(), ours.work_usd() / 26.28);
}

/// From 10 to 11 million a day: 138 batches of healthy monitors become 152, and 2 of the troubled stay 2.
#[test]
fn a_million_more_by_hand() {
    let bill = ours("--monitors 6945 --alerts 0 --requests 0");
    let (batches, troubled) = (14.0 / 694.5, 0.01);
    let lambda =
        (2.0 * batches + troubled) * 0.2 + (batches * 1.2 / 8.0 + (batches + troubled) * 0.06 / 4.0) * 16.666_7;
    let messages = (2.0 * batches + troubled) * (0.5 + 0.2 * 0.53);
    assert!((bill.next_million_usd - (lambda + messages + 1.5 * 0.09 + 0.42 * 0.01)).abs() < 1e-6);
}

#[test]
fn arm_changes_only_what_is_billed_by_the_second() {
    let (x86, arm) = (ours("--monitors 417"), ours("--monitors 417 --arm"));
    for (x86, arm) in x86.lines.iter().zip(&arm.lines) {
        let is_time = x86.name.starts_with("Lambda ") && x86.name != "Lambda requests";
        near(arm.usd, if is_time { x86.usd * 0.8 } else { x86.usd });
    }
}

#[test]
fn what_is_free_is_taken_off_as_far_as_it_is_used() {
    let small = ours("--monitors 7 --free-tier");
    // What has no free part stays: requests to the API, and what goes through the endpoint.
    near(small.work_usd(), usd(&small, "HTTP API") + usd(&small, "Data through endpoint"));
    let large = ours("--monitors 69450 --free-tier");
    near(usd(&large, "Always free"), -(0.2 + 6.666_68 + 0.5 + 0.263_53 + 5.0 * 0.53 + 9.0 + 0.5));
}

#[test]
fn the_database_grows_with_the_checks() {
    for (checks, name) in [
        (1e6, "db.t4g.micro"),
        (1e6 + 1.0, "db.t4g.small"),
        (1e7, "db.t4g.medium"),
        (25e6, "db.t4g.large"),
        (50e6, "db.m7g.large"),
        (1e9, "db.m7g.xlarge"),
    ] {
        assert_eq!(database_class(checks).name, name, "{checks}");
    }
}

#[test]
fn the_worst_of_troubled_batches_is_every_timeout_of_a_verified_check() {
    let reckoning = reckon("--monitors 417");
    let worst = ours("--monitors 417 --troubled-duration 32s");
    assert_eq!(reckoning.verified.duration.as_secs(), 32);
    near(reckoning.verified.more_usd, worst.work_usd() - reckoning.bills[0].work_usd());
    assert!(reckoning.verified.more_usd > 1.0);
}

#[test]
fn the_json_holds_every_line_and_its_sums() {
    let reckoning = reckon("--monitors 417 --regions 2 --free-tier");
    let document = json::document(&reckoning);
    for (name, bill) in ["batched", "single"].iter().zip(&reckoning.bills) {
        for (part, lines) in [(Part::Work, "lines"), (Part::Fixed, "database_and_endpoint")] {
            let told = document[name][lines].as_array().unwrap();
            let lines: Vec<&Line> = bill.lines.iter().filter(|line| line.part == part).collect();
            assert_eq!(told.len(), lines.len());
            for (told, line) in told.iter().zip(lines) {
                assert_eq!(told["name"], line.name);
                near(told["usd_per_month"].as_f64().unwrap(), line.usd);
            }
        }
        near(document[name]["usd_per_month"].as_f64().unwrap(), bill.total_usd());
    }
    assert_eq!(document["assumptions"]["troubled_percent"], 1.0);
    assert_eq!(document["prices"]["lambda_usd_per_million_requests"], 0.2);
}

#[test]
fn the_page_of_six_hundred_thousand_checks_a_day() {
    let page = render::page(&reckon("--monitors 417"));
    insta::assert_snapshot!(anstream::adapter::strip_str(&page).to_string(), @"
        600,480 checks a day: 417 monitors every 1 min from 1 region

        US dollars a month                         in batches               one by one
        Lambda requests            1.31 M requests       0.26  ▎                  7.37
        Lambda plan                    35,588 GB-s       0.59  ▋                  0.59
        Lambda check                  113,880 GB-s       1.90  ██                13.32
        Lambda look                     1,642 GB-s       0.03  ▏                  0.03
        Lambda judge                    8,653 GB-s       0.14  ▏                  4.57
        Lambda deliver                    284 GB-s      <0.01  ▏                 <0.01
        Lambda send                      41.7 GB-s      <0.01  ▏                 <0.01
        Lambda settle                    5.21 GB-s      <0.01  ▏                 <0.01
        Lambda escalate                   274 GB-s      <0.01  ▏                 <0.01
        Lambda audit                      274 GB-s      <0.01  ▏                 <0.01
        Lambda inform                     274 GB-s      <0.01  ▏                 <0.01
        Lambda expire                    45.6 GB-s      <0.01  ▏                 <0.01
        Lambda web                        380 GB-s       0.01  ▏                  0.01
        SNS publishes             1.02 M publishes       0.51  ▌                 18.27
        Scheduler                   263,530 starts       0.26  ▎                  0.26
        Logs                               0.26 GB       0.14  ▏                  3.90
        Data out                           28.0 GB       2.52  ██▋                2.52
        Data through endpoint              7.67 GB       0.08  ▏                  0.08
        HTTP API                   30,417 requests       0.03  ▏                  0.03
        Alarms                            5 alarms       0.50  ▌                  0.50

        Database db.t4g.micro                730 h      11.68  ████████████      11.68
        Database storage                    20 GiB       2.30  ██▍                2.30
        SNS endpoint                         730 h       7.30  ███████▌           7.30

        a month, database and endpoint aside             6.99                    51.46
        database and endpoint                           21.28                    21.28
        a month                                         28.27                    72.74

        a million checks, on average *                  0.383                    2.817
        the next million checks *                       0.255                    2.731

        * Database and endpoint aside. The next ones are those of a tenth more monitors.
        Assumed until measured: the clock comes on the minute, plan is up 6.5 s of it;
        a batch of 50 takes 1.2 s, one of troubled monitors (1 %) 10 s, judge 0.06 s,
        a check alone 0.35 s; 1.5 KB leave for each check.
        Troubled batches that run into all timeouts of a check and its verification
        take 32 s. If each of them did, a month would cost 2.01 more.
        Prices: AWS, us-east-1, as known on 2026-11-27, x86, first tier, without tax.
    ");
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    for arguments in ["--monitors 1", "--monitors 100000 --interval 10s --regions 3 --free-tier"] {
        let page = anstream::adapter::strip_str(&render::page(&reckon(arguments))).to_string();
        let wide = page.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{page}");
    }
}
