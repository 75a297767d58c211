//! A team that wants everything, beside one that wants little.

use std::collections::HashSet;
use std::time::Duration;

use gazer_domain::cadence::Cadence;
use gazer_domain::{MonitorId, Timestamp};
use gazer_testkit::now::now;
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::json;

use crate::driver::{Driver, owned, text};

const INTERVAL: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// A slot that was kept is answered within this; what comes later stands for another.
const KEPT: Duration = Duration::from_secs(1);

/// Half of 128 descriptors are for checks under way. The noisy team asks for a hundred sites that never answer, which
/// would hold all of those places; the other team's slots are kept nevertheless, and as punctually as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_wants_everything_takes_nothing_from_another() {
    let (site, stalled) = (Site::http().await, Site::http().await);
    stalled.break_with(Fault::Stall).await;
    let app = Driver::start(owned().descriptors(128)).await;
    let mut victims = Vec::new();
    for n in 0..10 {
        let id = app.monitor("Quiet", &format!("{}{n}", site.url()), json!({})).await;
        victims.push(id.parse::<MonitorId>().expect("an id"));
    }
    let began = now();
    site.record().wait_until(|hits| hits.last().is_some_and(|hit| hit.at > began + 3 * INTERVAL), PATIENCE).await;
    let noise = now();

    let made = app.gazer.run(&["team", "create", "--name", "Noisy", "--owner-email", "bob@example.com"]).await;
    assert!(made.status.success(), "{made:?}");
    let noisy = app.token(&["--team", "bob@example.com"]).await;
    for n in 0..100 {
        let monitor = json!({
            "name": format!("Noisy {n}"), "kind": "http", "http": {"url": stalled.url(), "timeout": "30s"},
            "interval": "5s", "verify": {"attempts": 0, "gap": "0s"},
        });
        let (status, made) = app.gazer.api(Method::POST, "/api/v1/monitors", Some(&monitor), Some(&noisy)).await;
        assert_eq!(status, 201, "{made}");
    }
    app.gazer.printed().wait_for(|line| line.contains("checks could not be made"), PATIENCE).await;
    let full = now();
    site.record().wait_until(|hits| hits.last().is_some_and(|hit| hit.at > full + 2 * INTERVAL), PATIENCE).await;
    let end = now() - KEPT;

    let (before, meanwhile) = (lateness(&site, &victims, began, noise - KEPT), lateness(&site, &victims, noise, end));
    // Most of them: in a debug build beside other tests, the very latest is the machine's.
    let most = |late: &[Duration]| late[late.len() * 9 / 10];
    let allowed = most(&before) + Duration::from_millis(200);
    assert!(most(&meanwhile) <= allowed, "{:?} late, and before {:?}", most(&meanwhile), most(&before));
    for id in &victims {
        let seen = app.get(&format!("/monitors/{id}")).await;
        assert_eq!(text(&seen["status"]), "up", "{seen:#}");
    }
}

/// How late each slot in this time was answered at the site, sorted. Everybody's slots have to be kept.
fn lateness(site: &Site, monitors: &[MonitorId], from: Timestamp, until: Timestamp) -> Vec<Duration> {
    let hits = site.hits();
    let mut all = Vec::new();
    for (n, id) in monitors.iter().enumerate() {
        let (cadence, path) = (Cadence::new(*id, INTERVAL, Timestamp::EPOCH), format!("/{n}"));
        let mut kept = HashSet::new();
        for hit in hits.iter().filter(|hit| hit.path == path) {
            let slot = cadence.at_or_before(hit.at).expect("after 1970");
            let late = hit.at.since(slot);
            if (from..until).contains(&slot) && late < KEPT && kept.insert(slot) {
                all.push(late);
            }
        }
        assert_eq!(kept.len() as u64, cadence.count(from, until), "slots of monitor {n} were missed: {kept:?}");
    }
    all.sort_unstable();
    all
}
