//! A simulated day: the production domain, functions, prober and store (SQLite in memory), under virtual time.
//!
//! Sites go down and come back by a script that the judgement knows and Gazer does not. On the way everything happens
//! that may: packets are lost and sent again as TCP would, messages between functions are dropped, delayed, doubled and
//! reordered, the process is killed and started again, its network is cut, its clock jumps by an hour. At the end the
//! truth is compared with what the owner received, both ways.
//!
//! One seed is one story: the same seed gives the same trace, so what fails once can be looked at as often as needed.
//! `GAZER_SIMULATE=seeds×monitors` (as in `200×1000`) is the size; a seed that once failed is in `FAILED` for good.
//! `GAZER_SIMULATED=FILE` keeps the seeds that passed, so that a run of hours goes on where it was ended.

mod chance;
mod faults;
mod network;
mod passed;
mod sim;
mod time;
mod truth;
mod verdict;

use std::io::Write;
use std::sync::Mutex;

use faults::Faults;
use passed::Passed;
use sim::{Outcome, Sim};

/// Small enough for a debug build. `make simulate` plays the size that CI asks for, or a larger one.
const SIZE: (u64, usize) = (2, 20);
/// Seeds that failed once.
const FAILED: [u64; 0] = [];

#[test]
fn a_day_in_which_everything_goes_wrong_tells_every_owner() {
    let (seeds, monitors) = size();
    let passed = Passed::of_this_run(monitors);
    let waiting = Mutex::new(FAILED.into_iter().chain(1..=seeds).filter(|seed| !passed.holds(*seed)));
    let failing = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(seed) = waiting.lock().expect("no panics here").next() else { return };
                    let outcome = play(seed, monitors, Faults::all());
                    let _ = writeln!(std::io::stderr(), "seed {seed} of {seeds}: {outcome}");
                    if outcome.complaints.is_empty() {
                        passed.add(seed);
                    }
                    let complaints = outcome.complaints.iter().map(|complaint| format!("seed {seed}: {complaint}"));
                    failing.lock().expect("no panics here").extend(complaints);
                }
            });
        }
    });
    let failing = failing.into_inner().expect("no panics here");
    assert!(failing.is_empty(), "{} complaints:\n{}", failing.len(), failing.join("\n"));
}

/// Without faults of ours the promises hold to the second.
#[test]
fn a_calm_day_keeps_the_guarantee_to_the_second() {
    let outcome = play(7, 30, Faults::none());
    assert!(outcome.complaints.is_empty(), "{outcome}\n{}", outcome.complaints.join("\n"));
    assert!(outcome.outages > 20 && outcome.duplicates == 0, "{outcome}");
}

/// Our own network is cut while some sites are really down: nobody is told of what was only our fault.
#[test]
fn a_cut_of_our_own_network_alarms_nobody() {
    let outcome = play(11, 30, Faults { cuts: 8, ..Faults::none() });
    assert!(outcome.complaints.is_empty(), "{outcome}\n{}", outcome.complaints.join("\n"));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let (one, two) = (play(3, 5, Faults::all()), play(3, 5, Faults::all()));
    assert_eq!(one.trace, two.trace);
    assert_ne!(one.trace, play(4, 5, Faults::all()).trace);
}

fn play(seed: u64, monitors: usize, faults: Faults) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(Sim::day(seed, monitors, faults))
}

#[expect(clippy::disallowed_methods, reason = "the size of a test run is no configuration of the product")]
fn size() -> (u64, usize) {
    let Ok(size) = std::env::var("GAZER_SIMULATE") else { return SIZE };
    let parsed =
        size.split_once(['x', '×']).and_then(|(seeds, monitors)| Some((seeds.parse().ok()?, monitors.parse().ok()?)));
    parsed.unwrap_or_else(|| panic!("GAZER_SIMULATE={size}: write seeds×monitors, as in 200×1000"))
}
