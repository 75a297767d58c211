//! A team that makes ten times as many monitors within a minute, half of them of sites that never answer, beside one
//! that minds its own: how much later the quiet team's checks are than in its own minute before.

use std::time::Duration;

use gazer_domain::Timestamp;
use http::Method;
use serde_json::json;

use crate::load::{kept, now};
use crate::rig::{INTERVAL, Rig, percentile};
use crate::targets::Scheme;

const MINUTE: Duration = Duration::from_secs(60);
const FACTOR: usize = 10;
/// The most that it may cost, in milliseconds.
const ALLOWED: f64 = 200.0;

pub(crate) async fn run(victims: usize) {
    let many = victims * FACTOR;
    eprintln!("noisy: {victims} monitors every {} s, and {many} of another team", INTERVAL.as_secs());
    let mut rig = Rig::start(Scheme::Http).await;
    rig.monitors(victims).await;
    let made = rig.gazer.run(&["team", "create", "--name", "Noisy", "--owner-email", "bob@example.com"]).await;
    assert!(made.status.success(), "team create: {made:?}");
    let noisy = rig.token(&["--team", "bob@example.com"]).await;
    tokio::time::sleep(2 * INTERVAL).await;

    let quiet = now();
    tokio::time::sleep(MINUTE).await;
    let noise = now();
    let every = MINUTE / u32::try_from(many).expect("a few thousand");
    for number in 0..many {
        let due = noise + every * u32::try_from(number).expect("a few thousand");
        tokio::time::sleep(due.since(now())).await;
        monitor(&rig, &noisy, victims + number).await;
    }
    let all = now();
    tokio::time::sleep(MINUTE).await;
    let end = now();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let before = p99(&rig, "quiet minute", quiet, noise);
    let making = p99(&rig, "while they are made", noise, all);
    let beside = p99(&rig, "beside them", all, end);
    println!("noisy: p99 rises by          {:.1} ms (bound {ALLOWED} ms)", making.max(beside) - before);
}

async fn monitor(rig: &Rig, token: &str, number: usize) {
    let path = if number.is_multiple_of(2) { "/stall".to_owned() } else { format!("/m/{number}") };
    let body = json!({
        "name": format!("Noisy {number}"), "kind": "http",
        "http": {"url": rig.targets.url(number, &path), "timeout": "30s"},
        "interval": "5s", "verify": {"attempts": 0, "gap": "0s"},
    });
    let (status, made) = rig.gazer.api(Method::POST, "/api/v1/monitors", Some(&body), Some(token)).await;
    assert_eq!(status, 201, "POST /api/v1/monitors: {made}");
}

fn p99(rig: &Rig, when: &str, from: Timestamp, until: Timestamp) -> f64 {
    let kept = kept(rig, &rig.targets.arrivals(), from, until);
    let p99 = percentile(&kept.lateness, 0.99);
    println!("noisy: {when:<21} slots kept {} of {}, p99 {p99:.1} ms", kept.lateness.len(), kept.due);
    p99
}
