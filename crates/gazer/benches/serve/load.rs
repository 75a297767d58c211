//! Steady load: cost per check, lateness, memory, disk; a restart; targets that never answer.

use std::collections::HashMap;
use std::time::Duration;

use gazer_domain::Timestamp;

use crate::rig::{INTERVAL, Rig, percentile};
use crate::targets::{Scheme, micros};

/// Caches fill, the log reaches its size, every monitor was checked.
const WARM_UP: Duration = Duration::from_secs(30);

pub(crate) async fn run(count: usize, scheme: Scheme, length: Duration) {
    eprintln!("load: {count} monitors every 10 s over {}, {} s", scheme.as_str(), length.as_secs());
    let mut rig = Rig::start(scheme).await;
    rig.monitors(count).await;
    tokio::time::sleep(WARM_UP).await;

    let (usage, disk, from) = (rig.gazer.usage(), rig.data_bytes(), now());
    let control = tokio::spawn(bare_timer(slots(&rig, from, from + length)));
    tokio::time::sleep(length).await;
    let until = from + length;
    let (after, disk_after) = (rig.gazer.usage(), rig.data_bytes());
    let page = rig.page().await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let kept = kept(&rig, &rig.targets.arrivals(), from, until);
    let mut control = control.await.expect("the control runs to its end");
    control.sort_by(f64::total_cmp);
    let checks = kept.lateness.len() as f64;
    let name = format!("{count} monitors, {}", scheme.as_str());
    println!("{name}: slots kept           {} of {}", kept.lateness.len(), kept.due);
    println!(
        "{name}: lateness p50 / p99   {:.1} / {:.1} ms",
        percentile(&kept.lateness, 0.5),
        percentile(&kept.lateness, 0.99)
    );
    println!("{name}: bare timer p50 / p99 {:.1} / {:.1} ms", percentile(&control, 0.5), percentile(&control, 0.99));
    println!("{name}: CPU per check        {:.3} ms", (after.cpu - usage.cpu).as_secs_f64() * 1e3 / checks);
    println!("{name}: resident             {:.1} MiB (peak {:.1})", mib(after.resident), mib(after.peak));
    println!("{name}: disk per check       {:.1} bytes", disk_after.saturating_sub(disk) as f64 / checks);
    println!("{name}: Monitors page        {:.1} ms", page.as_secs_f64() * 1e3);
}

/// Killed and started again: how long until each monitor is checked, and whether at its own phase.
pub(crate) async fn restart(count: usize) {
    eprintln!("restart with {count} monitors");
    let mut rig = Rig::start(Scheme::Http).await;
    rig.monitors(count).await;
    tokio::time::sleep(INTERVAL).await;
    rig.gazer.kill9().await;
    let gone = now();
    rig.gazer.start().await;
    let back = now();
    tokio::time::sleep(INTERVAL + Duration::from_secs(4)).await;
    let mut first: HashMap<u32, u64> = HashMap::new();
    for (number, at) in rig.targets.arrivals() {
        if at / 1_000 > gone.millis() as u64 {
            first.entry(number).or_insert(at);
        }
    }
    let waits: Vec<f64> = first.values().map(|at| (*at as f64 / 1e3 - back.millis() as f64).max(0.0)).collect();
    let slowest = waits.iter().copied().fold(0.0, f64::max);
    let late = first.iter().filter(|(number, at)| lateness(&rig, **number, **at) > 2_000.0).count();
    println!(
        "restart: checked again       {} of {count}, the last after {slowest:.0} ms (bound {} ms)",
        first.len(),
        INTERVAL.as_millis() + 2_000
    );
    println!("restart: out of phase        {late}");
    println!("restart: down for            {} ms", back.since(gone).as_millis());
}

/// Some targets accept and never answer; the others keep their slots.
pub(crate) async fn stall(count: usize, stalled: usize) {
    eprintln!("stall: {stalled} of {count} targets never answer");
    let mut rig = Rig::start(Scheme::Http).await;
    rig.monitors(count - stalled).await;
    for number in count - stalled..count {
        let url = rig.targets.url(number, "/stall");
        rig.monitor(number, url, INTERVAL).await;
    }
    tokio::time::sleep(WARM_UP).await;
    let from = now();
    let until = from + Duration::from_secs(60);
    tokio::time::sleep(until.since(from) + Duration::from_secs(2)).await;
    rig.monitors.truncate(count - stalled);
    let kept = kept(&rig, &rig.targets.arrivals(), from, until);
    println!("stall: slots kept            {} of {}", kept.lateness.len(), kept.due);
    println!("stall: lateness p99          {:.1} ms", percentile(&kept.lateness, 0.99));
}

pub(crate) struct Kept {
    pub(crate) due: u64,
    /// Milliseconds, sorted.
    pub(crate) lateness: Vec<f64>,
}

/// Which slots of the window were answered by an arrival of their own.
pub(crate) fn kept(rig: &Rig, arrivals: &[(u32, u64)], from: Timestamp, until: Timestamp) -> Kept {
    let mut seen: HashMap<(u32, Timestamp), f64> = HashMap::new();
    for (number, at) in arrivals {
        if (*number as usize) < rig.monitors.len() {
            let late = lateness(rig, *number, *at);
            let slot = Timestamp::from_millis((*at as f64 / 1e3 - late).round() as i64);
            let known = seen.entry((*number, slot)).or_insert(late);
            *known = known.min(late);
        }
    }
    let mut lateness: Vec<f64> =
        seen.into_iter().filter(|((_, slot), _)| (from..until).contains(slot)).map(|(_, late)| late).collect();
    lateness.sort_by(f64::total_cmp);
    let due = (0..rig.monitors.len()).map(|number| rig.cadence(number).count(from, until)).sum();
    Kept { due, lateness }
}

fn lateness(rig: &Rig, number: u32, at: u64) -> f64 {
    let slot = rig.cadence(number as usize).at_or_before(Timestamp::from_millis((at / 1_000) as i64));
    at as f64 / 1e3 - slot.map_or(0, Timestamp::millis) as f64
}

fn slots(rig: &Rig, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let mut slots = Vec::new();
    for number in 0..rig.monitors.len() {
        let cadence = rig.cadence(number);
        let mut slot = cadence.at_or_after(from);
        while slot < until {
            slots.push(slot);
            slot = cadence.after(slot);
        }
    }
    slots.sort_unstable();
    slots
}

/// Sleeps to each slot and does nothing else.
async fn bare_timer(slots: Vec<Timestamp>) -> Vec<f64> {
    let mut lateness = Vec::with_capacity(slots.len());
    for slot in slots {
        tokio::time::sleep(slot.since(now())).await;
        lateness.push(micros() as f64 / 1e3 - slot.millis() as f64);
    }
    lateness
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis((micros() / 1_000) as i64)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
