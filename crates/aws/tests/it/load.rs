//! A thousand monitors, while their sites break and Gazer is deployed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use gazer_domain::Timestamp;
use gazer_testkit::receiver::{Received, WebhookReceiver};
use gazer_testkit::site::{Hit, Reply, Site};

use crate::stack::Stack;

const MONITORS: usize = 1_000;
/// As docs/aws.md says for so many.
const GRID: [&str; 2] = ["--param", "align=5s"];
const INTERVAL: &str = "30s";
/// Sites that break at a time.
const OUTAGES: usize = 40;
/// The emulator's scheduler starts the first plan after a minute.
const PATIENCE: Duration = Duration::from_secs(180);
/// From the start of the check that fails to the webhook, of 95 in 100.
const PROMPT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_monitors_are_told_of_once_each_while_gazer_is_deployed_anew() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let stack = Stack::deploy_with(&GRID).await;
    stack.tell(&receiver).await;
    let urls: Vec<_> = (0..MONITORS).map(|n| url(&site, n)).collect();
    let made = stream::iter(&urls).map(|url| stack.watch(url, INTERVAL));
    made.buffer_unordered(4).for_each(|_| async {}).await;
    let all_checked = |hits: &[Hit]| {
        hits.len() >= MONITORS && hits.iter().map(|hit| &hit.path).collect::<BTreeSet<_>>().len() == MONITORS
    };
    site.record().wait_until(all_checked, PATIENCE).await;

    // The first of them break.
    let (first, second) = (0..OUTAGES, OUTAGES..2 * OUTAGES);
    let broken_at = serve(&site, first.clone(), 503);
    let told = receiver.wait_until(|hooks| hooks.len() >= OUTAGES, PATIENCE).await;
    let mut delays: Vec<_> = told.iter().map(|hook| hook.at.since(failed_at(&site, hook, broken_at))).collect();
    delays.sort();
    let (p50, p95) = (delays[OUTAGES / 2], delays[OUTAGES * 95 / 100]);
    println!("from the failing check to the webhook: p50 {p50:?}, p95 {p95:?}");
    assert!(p95 <= PROMPT, "{delays:?}\n{}", where_it_waited(&stack).await);

    // Others break and these are repaired while it is deployed anew: every function gets another setting.
    serve(&site, second.clone(), 503);
    serve(&site, first, 200);
    stack.osls(&[&["deploy", "--param", "database=given", "--param", "allow=192.0.2.0/24"], &GRID[..]].concat()).await;
    receiver.wait_until(|hooks| hooks.len() >= 3 * OUTAGES, PATIENCE).await;
    serve(&site, second, 200);
    let told = receiver.wait_until(|hooks| hooks.len() >= 4 * OUTAGES, PATIENCE).await;

    let mut stories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for hook in &told {
        stories.entry(name(hook)).or_default().push(hook.kind());
    }
    assert_eq!(stories.len(), 2 * OUTAGES, "nobody else is told of");
    for (monitor, story) in stories {
        assert_eq!(story, ["monitor.down", "monitor.recovered"], "{monitor}");
    }
    stack.nothing_was_put_aside().await;
}

/// For who asks why messages came late: of each when its incident began, when it was judged and when it was settled, and
/// how often it was claimed.
async fn where_it_waited(stack: &Stack) -> String {
    let sql = "select i.started, d.created - i.started as judged, d.settled_at - i.started as settled, d.epoch, d.state
        from deliveries d join incidents i on i.key = d.incident order by i.started, d.key";
    stack.query(sql).await
}

fn url(site: &Site, n: usize) -> String {
    format!("{}{}", site.url().trim_end_matches('/'), path(n))
}

fn path(n: usize) -> String {
    format!("/page/{n}")
}

fn serve(site: &Site, pages: impl Iterator<Item = usize>, status: u16) -> Timestamp {
    pages.for_each(|n| site.serve(&path(n), Reply::status(status)));
    gazer_testkit::now::now()
}

/// When the check began that saw it fail.
fn failed_at(site: &Site, hook: &Received, broken_at: Timestamp) -> Timestamp {
    let hits = site.hits();
    let failed = hits.iter().find(|hit| hit.at >= broken_at && name(hook).ends_with(&hit.path));
    failed.expect("it was checked").at
}

fn name(hook: &Received) -> &str {
    hook.json["data"]["monitor"]["name"].as_str().unwrap_or_else(|| panic!("{}", hook.json))
}
