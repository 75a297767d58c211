//! Two hundred misbehaving sites at once, in a process of their own: what they cost in memory is bounded.

use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use gazer_domain::http::HttpSpec;
use gazer_probes::{Config, Prober};
use gazer_testkit::now::now;
use gazer_testkit::targets;
use gazer_testkit::usage::Usage;

const CROWD: usize = 200;
const MOST_BYTES: u64 = 64 << 20;

/// The other tests of this binary would be measured too, so this one runs alone.
#[test]
fn two_hundred_misbehaving_sites_at_once_cost_little_memory() {
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crowd::alone", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&alone.stdout), String::from_utf8_lossy(&alone.stderr));
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run alone by the test above"]
async fn alone() {
    let roots = vec![targets::authority().der()];
    let prober = Prober::new(Config { extra_roots: roots, witnesses: Vec::new(), ..Config::new(now) }).unwrap();
    let sites = join_all(targets::all().iter().map(targets::start)).await;
    let plans: Vec<_> = sites
        .iter()
        .map(|site| {
            let mut spec = HttpSpec::get(site.url().parse().unwrap());
            spec.timeout = Duration::from_millis(1_500);
            prober.compile(&spec).unwrap()
        })
        .collect();
    // Once each, so that what is made once is made: bombs, certificates, the runtime's own stacks.
    join_all(plans.iter().map(|plan| prober.attempt(plan, None))).await;
    let before = Usage::of_this_process();
    join_all(plans.iter().cycle().take(CROWD).map(|plan| prober.attempt(plan, None))).await;
    let grown = Usage::of_this_process().peak.saturating_sub(before.resident);
    assert!(grown <= MOST_BYTES, "{CROWD} at once took {} KiB more", grown >> 10);
}
