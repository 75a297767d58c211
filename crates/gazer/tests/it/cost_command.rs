//! `gazer cost`: a month's bill from the command line, to read and for programs.

use serde_json::Value;

use crate::command::gazer;

/// Figures of a line, the bars and units left out.
fn figures(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.replace(',', "").parse().ok()).collect()
}

#[test]
fn a_bill_is_read_line_by_line_beside_the_naive_one() {
    let ended = gazer(&["cost", "--monitors", "6945", "--interval", "60s"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stdout.contains('\u{1b}'), "a pipe gets no colours");
    assert!(ended.stdout.starts_with("10,000,800 checks a day: 6,945 monitors every 1 min"), "{}", ended.stdout);
    let line = |name: &str| {
        let found = ended.stdout.lines().find(|line| line.starts_with(name));
        figures(found.unwrap_or_else(|| panic!("{name} is not in {}", ended.stdout)))
    };
    let month = line("a month  ");
    assert!(month[0] < month[1] / 5.0, "batches are worth their while: {month:?}");
    let parts = [line("a month, database and endpoint aside"), line("database and endpoint")];
    assert!((parts[0][0] + parts[1][0] - month[0]).abs() < 0.02, "{}", ended.stdout);
    for expected in ["Lambda check", "SNS publishes", "Data out", "Database db.t4g.medium", "us-east-1", "Assumed"] {
        assert!(ended.stdout.contains(expected), "{expected} is not in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("between regions"), "one region has no other: {}", ended.stdout);
}

#[test]
fn its_json_says_the_same_in_units() {
    let ended = gazer(&["cost", "--monitors", "417", "--regions", "2", "--arm", "--free-tier", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let bill: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(bill["checks_per_day"], 1_200_960.0);
    assert_eq!((&bill["processor"], &bill["prices"]["region"]), (&"arm64".into(), &"us-east-1".into()));
    assert_eq!(bill["assumptions"]["interval_seconds"], 60.0);
    for design in ["batched", "single"] {
        let sums = &bill[design];
        let number = |name: &str| sums[name].as_f64().unwrap_or_else(|| panic!("{name} in {sums:#}"));
        let month =
            number("beside_database_and_endpoint_usd_per_month") + number("database_and_endpoint_usd_per_month");
        assert!((month - number("usd_per_month")).abs() < 1e-5, "{sums:#}");
        assert!(number("marginal_usd_per_million_checks") > 0.0 && number("average_usd_per_million_checks") > 0.0);
        let lines = sums["lines"].as_array().expect("there are lines");
        let check = lines.iter().find(|line| line["name"] == "Lambda check").expect("check costs something");
        assert!(check["gb_seconds_per_month"].as_f64() > Some(0.0), "{check}");
        assert!(lines.iter().any(|line| line["name"] == "Always free" && line["usd_per_month"].as_f64() < Some(0.0)));
    }
}

#[test]
fn a_measured_duration_changes_what_it_is_about() {
    let month = |arguments: &[&str]| {
        let ended = gazer(&[&["cost", "--monitors", "6945", "--json"], arguments].concat());
        let bill: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|err| panic!("{err}: {}", ended.stderr));
        ["batched", "single"].map(|design| bill[design]["usd_per_month"].as_f64().expect("it costs something"))
    };
    let [ours, naive] = month(&[]);
    for flag in ["--batch-duration", "--troubled-duration"] {
        let [more, same] = month(&[flag, "12s"]);
        assert!(more > ours && same == naive, "{flag}");
    }
    let [more, more_naive] = month(&["--judge-duration", "100ms"]);
    assert!(more > ours && more_naive > naive);
    let [same, more_naive] = month(&["--check-duration", "1s"]);
    assert!(same == ours && more_naive > naive);
}

#[test]
fn its_help_explains_each_flag() {
    let ended = gazer(&["cost", "--help"]);
    assert_eq!(ended.code, 0);
    for flag in [
        "--monitors",
        "--interval",
        "--regions",
        "--alerts",
        "--requests",
        "--arm",
        "--free-tier",
        "--json",
        "--batch ",
        "--align",
        "--troubled ",
        "--memory",
        "--batch-duration",
        "--troubled-duration",
        "--judge-duration",
        "--check-duration",
    ] {
        assert!(ended.stdout.contains(flag), "{flag} is not in {}", ended.stdout);
    }
    assert!(ended.stdout.contains("[default: 1200ms]"), "{}", ended.stdout);
}
