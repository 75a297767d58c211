//! What judging costs in the store: CPU per check of the judge's transaction, and bytes per check in the data directory.
//!
//! 5,000 monitors at 10 s, in batches of 125 as `check` streams them: 300,000 checks, all of them up, each batch one
//! transaction that reaches the disk.
//!
//! `cargo bench -p gazer-store --bench judge_tx [-- postgres]`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::Duration;

use gazer_domain::health::{Seen, fold};
use gazer_domain::http::HttpSpec;
use gazer_domain::monitor::{Monitor, Settings, Spec, Verify};
use gazer_domain::observation::{Observation, Phases};
use gazer_domain::verdict::{Judgement, Verdict};
use gazer_domain::{MonitorId, Quorum, Region, TeamId, Timestamp};
use gazer_store::{Advance, LastCheck, Location, MonitorFilter, Options, Page, SealingKey, Store};
use gazer_testkit::postgres::Cluster;
use gazer_testkit::usage::Usage;
use tokio::time::Instant;

const MONITORS: u64 = 5_000;
const INTERVAL: Duration = Duration::from_secs(10);
const ROUNDS: u32 = 60;
const BATCH: usize = 125;
const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let key = SealingKey::from_bytes([1; 32]);
    let directory = tempfile::tempdir_in(std::env::current_dir()?)?;
    let on_postgres = std::env::args().any(|arg| arg == "postgres");
    let location = match on_postgres {
        true => Location::postgres(Cluster::shared().await.fresh_database().await),
        false => Location::Sqlite(directory.path().to_owned()),
    };
    let store =
        Store::open(Options { location, key, public_url: "http://127.0.0.1:8080".into(), align: Duration::ZERO })
            .await?;
    let (team, mut monitors) = (TeamId::from_bits(1), Vec::new());
    store.region_add(&Region::local(), START).await?;
    store.team_create(team, "Bench", START).await?;
    for n in 0..MONITORS {
        monitors.push(monitor(n));
        store.monitor_create(team, &monitors[n as usize]).await?;
    }
    // In the order in which they are due.
    monitors.sort_by_key(|monitor| monitor.cadence().at_or_after(START));
    let before = size(on_postgres, directory.path()).await;

    let (began, cpu) = (Instant::now(), Usage::of_this_process().cpu);
    let mut slowest = Duration::ZERO;
    for round in 0..ROUNDS {
        for batch in monitors.chunks(BATCH) {
            let began = Instant::now();
            judge(&store, &batch.iter().map(|monitor| seen(monitor, round)).collect::<Vec<_>>()).await?;
            slowest = slowest.max(began.elapsed());
        }
    }
    let checks = u64::from(ROUNDS) * MONITORS;
    let (took, cpu) = (began.elapsed(), Usage::of_this_process().cpu - cpu);
    println!("{checks} checks: {:.4} ms CPU per check in this process", cpu.as_secs_f64() * 1e3 / checks as f64);
    println!(
        "{:.1} ms wall per batch of {BATCH}, the slowest {slowest:.1?}",
        took.as_secs_f64() * 1e3 * BATCH as f64 / checks as f64
    );
    println!("{} MiB resident at most", Usage::of_this_process().peak >> 20);
    let grown = size(on_postgres, directory.path()).await - before;
    let all = (before + grown) as f64 / checks as f64;
    println!(
        "{:.1} bytes per check by growth; {all:.1} with everything else in the directory",
        grown as f64 / checks as f64
    );

    let now = START + INTERVAL * (ROUNDS + 1);
    let ids = monitors.iter().take(100).map(|monitor| monitor.id).collect::<Vec<MonitorId>>();
    timed("the first 100 monitors", store.monitor_list(team, &MonitorFilter::default(), &Page::first(100))).await?;
    timed("their totals", store.monitor_totals(team)).await?;
    timed("their sparklines of 30", store.sparklines(team, &ids, now, 30)).await?;
    timed("their periods", store.periods(team, &ids, START, now)).await?;
    timed("ten minutes of one monitor", store.checks(team, ids[0], None, START, now)).await?;
    timed("who is overdue", store.tracks_overdue(now, 100)).await?;
    timed("the whole plan", store.planned_since(0)).await?;
    Ok(())
}

async fn timed<T>(what: &str, work: impl Future<Output = gazer_store::Result<T>>) -> anyhow::Result<()> {
    let began = Instant::now();
    work.await?;
    println!("{what}: {:.1?}", began.elapsed());
    Ok(())
}

/// What the function `judge` does with a batch of good checks.
async fn judge(store: &Store, batch: &[Observation]) -> anyhow::Result<()> {
    let region = Region::local();
    let mut tx = store.begin().await?;
    let ids = batch.iter().map(|seen| seen.monitor).collect::<Vec<_>>();
    let mut watches = tx.watches_lock(&ids).await?;
    let (mut checks, mut advances, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for seen in batch {
        let watch = watches.get_mut(&seen.monitor).expect("it was locked");
        let Some(at) = watch.track_of(&region) else { continue };
        let track = watch.tracks[at].key;
        checks.push((track, seen));
        let verdict = seen.judgement.verdict;
        let Some(step) = fold(watch.standing.regions[at], Seen::of(seen, true, seen.ended()), &watch.policy) else {
            continue;
        };
        let last = Some(LastCheck { slot: seen.slot, took: seen.took, verdict });
        advances.push(Advance { track, health: step.health, last, certificate_until: None });
        changes.extend(watch.standing.take(at, &step).into_iter().map(|change| (seen.monitor, change)));
    }
    tx.checks_append(&checks).await?;
    tx.health_advance(&advances).await?;
    for (monitor, change) in changes {
        let watch = watches.get_mut(&monitor).expect("it was locked");
        tx.turn(watch, change, None, gazer_domain::IncidentId::from_bits(1), change.at).await?;
    }
    Ok(tx.commit().await?)
}

fn monitor(n: u64) -> Monitor {
    // Spread as real ids are: a version 7 UUID is random in its lower bits.
    let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&random);
    let settings = Settings {
        name: format!("site {n}"),
        spec: Spec::Http(HttpSpec::get(format!("http://127.0.0.1:8000/{n}").parse().expect("a URL"))),
        interval: INTERVAL,
        verify: Verify::default(),
        recover_after: 1,
        regions: Vec::new(),
        quorum: Quorum::Majority,
    };
    Monitor::new(MonitorId::new(START + Duration::from_millis(n), bytes), settings, START)
}

fn seen(monitor: &Monitor, round: u32) -> Observation {
    let slot = monitor.cadence().at_or_after(START) + INTERVAL * round;
    // Not all alike, so that no column compresses to a constant.
    let wiggle = (slot.millis() as u32).wrapping_mul(2_654_435_761) >> 20;
    Observation {
        monitor: monitor.id,
        revision: 1,
        slot,
        started: slot + Duration::from_millis(u64::from(wiggle % 9)),
        took: Duration::from_millis(u64::from(1 + wiggle % 30)),
        judgement: Judgement { verdict: Verdict::Up, cause: None },
        phases: Phases {
            connect: 150 + wiggle,
            send: 40,
            first_byte: 900 + wiggle * 7,
            download: 60,
            ..Phases::default()
        },
        certificate_until: None,
        attempts: Vec::new(),
    }
}

async fn size(on_postgres: bool, directory: &Path) -> i64 {
    if on_postgres {
        let cluster = Cluster::shared().await;
        let said = cluster.sql("test_1", "checkpoint; select pg_database_size('test_1')").await.expect("psql works");
        return said.parse().expect("a number");
    }
    let files = std::fs::read_dir(directory).expect("the data directory is there");
    files.map(|file| file.and_then(|file| file.metadata()).expect("a file").len() as i64).sum()
}
