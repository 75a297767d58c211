//! A simulated day: the production domain, functions, prober and store (SQLite in memory), under virtual time.
//!
//! Sites go down and come back by a script that the judgement knows and Gazer does not. On the way everything happens
//! that may: packets are lost and sent again as TCP would, messages between functions are dropped, delayed, doubled and
//! reordered, the process is killed and started again, its network is cut, its clock jumps by an hour. At the end the
//! truth is compared with what the owner received, both ways.
//!
//! Each fourth day monitors are due together; on the others their slots are spread.
//!
//! One seed is one story: the same seed gives the same trace, so what fails once can be looked at as often as needed.
//! `GAZER_SIMULATE=seeds×monitors` (as in `200×1000`) is the size; a day that once failed is in `FAILED` for good.
//! `GAZER_SIMULATED=FILE` keeps the seeds that passed, so that a run of hours goes on where it was ended.

mod chance;
mod faults;
mod network;
mod passed;
mod people;
mod process;
mod receivers;
mod sim;
mod stream;
mod time;
mod truth;
mod verdict;

use std::io::Write;
use std::sync::{Arc, Mutex};

use faults::Faults;
use passed::Passed;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use sim::{Outcome, Sim};
use tokio::sync::Notify;

/// Small enough for a debug build. `make simulate` plays the size that CI asks for, or a larger one.
const SIZE: (u64, usize) = (2, 20);
/// Days that failed once, a seed for each cause, and how many monitors each needed. A debug build has no time for them.
const FAILED: [(u64, usize); 2] = [
    // A wait was not put off by time in which nothing was seen, for the clock had been set back.
    (57, 1_000),
    // A receiver refused one message five times, took all others meanwhile, and had to wait half an hour for that one.
    (131, 1_000),
];

#[test]
fn a_day_in_which_everything_goes_wrong_tells_every_owner() {
    let (seeds, monitors) = size();
    let passed = Passed::of_this_run();
    let failed = FAILED.into_iter().filter(|(seed, needed)| monitors > SIZE.1 && (*needed > monitors || *seed > seeds));
    let days = failed.chain((1..=seeds).map(|seed| (seed, monitors)));
    let waiting = Mutex::new(days.filter(|(seed, monitors)| !passed.holds(*seed, *monitors)));
    let failing = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for core in cores() {
            let (waiting, failing, passed) = (&waiting, &failing, &passed);
            scope.spawn(move || {
                stay_on(core);
                loop {
                    let Some((seed, monitors)) = waiting.lock().expect("no panics here").next() else { return };
                    let outcome = play(seed, monitors, Faults::all());
                    let _ = writeln!(std::io::stderr(), "seed {seed} of {seeds}: {outcome}");
                    if outcome.complaints.is_empty() {
                        passed.add(seed, monitors);
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
    outcome.without_complaint();
    assert!(outcome.outages > 20 && outcome.duplicates == 0, "{outcome}");
}

/// Our own network is cut while some sites are really down: nobody is told of what was only our fault, but the
/// operator.
#[test]
fn a_cut_of_our_own_network_alarms_nobody_but_the_operator() {
    let outcome = play(11, 30, Faults { cuts: 8, ..Faults::none() });
    outcome.without_complaint();
    assert_eq!(outcome.episodes, 8, "{outcome}");
}

/// The process dies while it tells of the cut, and again while it tells of its end.
#[test]
fn an_episode_is_one_also_where_we_die_of_telling_it() {
    let outcome = play(12, 10, Faults { cuts: 8, dies_telling_operator: 2, ..Faults::none() });
    outcome.without_complaint();
    assert_eq!(outcome.episodes, 8, "{outcome}");
}

/// Sites are edited, paused, resumed, deleted and checked by hand, and a rule is changed while it waits.
#[test]
fn people_who_change_their_minds_are_told_of_what_they_want_by_then() {
    let outcome = play(13, 40, Faults { acts: 14, rule_edits: 100, ..Faults::none() });
    outcome.without_complaint();
}

/// We are blind, dead or cut off, while a rule waits for an outage to last.
#[test]
fn time_in_which_nothing_was_seen_does_not_count_for_who_waits() {
    let outcome = play(14, 30, Faults { cuts: 40, crashes: 8, ..Faults::none() });
    outcome.without_complaint();
}

#[test]
fn a_receiver_that_comes_back_hears_of_everything_and_one_that_is_gone_is_left_alone() {
    let outcome = play(15, 30, Faults { falls: 20, ..Faults::none() });
    outcome.without_complaint();
    assert!(outcome.duplicates > 0 && outcome.refused > 0, "{outcome}");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let (one, two) = (play(3, 5, Faults::all()), play(3, 5, Faults::all()));
    assert_eq!(one.trace, two.trace);
    assert_ne!(one.trace, play(4, 5, Faults::all()).trace);
}

fn cores() -> Vec<usize> {
    let allowed = sched_getaffinity(None).expect("the system tells which cores are ours");
    (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect()
}

/// A day waits for its store in every other breath: two threads that take turns on one core wait half as long.
fn stay_on(core: usize) {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).expect("a core that is ours");
}

fn play(seed: u64, monitors: usize, faults: Faults) -> Outcome {
    let idle = Arc::new(Notify::new());
    let heard = Arc::clone(&idle);
    let rest = move || {
        if time::tasks() == 0 {
            idle.notify_waiters();
        }
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().on_thread_park(rest).build().expect("a runtime");
    runtime.block_on(Sim::day(seed, monitors, faults, heard))
}

impl Outcome {
    fn without_complaint(&self) {
        assert!(self.complaints.is_empty(), "{self}\n{}", self.complaints.join("\n"));
    }
}

#[expect(clippy::disallowed_methods, reason = "the size of a test run is no configuration of the product")]
fn size() -> (u64, usize) {
    let Ok(size) = std::env::var("GAZER_SIMULATE") else { return SIZE };
    let parsed =
        size.split_once(['x', '×']).and_then(|(seeds, monitors)| Some((seeds.parse().ok()?, monitors.parse().ok()?)));
    parsed.unwrap_or_else(|| panic!("GAZER_SIMULATE={size}: write seeds×monitors, as in 200×1000"))
}
