//! What `/metrics` is made of, as a list: dashboards and alarms of operators hang on these names.

use std::collections::BTreeSet;

use axum::http::Request;
use gazer_testkit::client;

use crate::driver::owned;

/// Families with their kinds, and series with the names and values of their labels but without their numbers.
fn shape(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let shown = match line.strip_prefix("# HELP ") {
            Some(_) => continue,
            None if line.starts_with('#') => line.to_owned(),
            None => line.rsplit_once(' ').map_or(line, |(series, _)| series).to_owned(),
        };
        lines.push(shown);
    }
    lines.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[tokio::test]
async fn the_names_of_all_metrics_are_those_that_were_reviewed() {
    let gazer = owned().start().await;
    let request = Request::get("/metrics").body(axum::body::Bytes::new().into()).expect("a request");
    let text = client::send(gazer.address(), request).await.expect("an answer").text();
    insta::assert_snapshot!(shape(&text));
    let mut families = BTreeSet::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(said) = line.strip_prefix("# HELP ") {
            let (family, help) = said.split_once(' ').expect("a family says what it is");
            assert!(families.insert(family.to_owned()) && help.ends_with('.'), "{line}");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().expect("a series has a name");
            let base = name.strip_suffix("_total").or(name.strip_suffix("_info")).unwrap_or(name);
            assert!(families.contains(base), "{line} belongs to a family that was said before");
            let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
            assert!(value.is_some_and(|value| value >= 0.0), "{line}");
        }
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("mon_") && !text.contains("team_"), "nothing of a tenant shows: {text}");
}
