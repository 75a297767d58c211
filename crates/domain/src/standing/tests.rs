//! How regions come to one status, as stories: a text script in, its transcript beside it.

use std::fmt::Write;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::MonitorId;
use crate::cadence::Cadence;
use crate::health::{Policy, Seen, fold, fold_gap};

const MINUTE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(35);

fn policy() -> Policy {
    Policy { cadence: Cadence::new(MonitorId::from_bits(0), MINUTE, Timestamp::EPOCH), recover_after: 1 }
}

fn slot(n: u32) -> Timestamp {
    policy().cadence.at_or_after(Timestamp::EPOCH) + MINUTE * n
}

fn fresh(regions: usize, quorum: Quorum) -> Standing {
    let regions = vec![Health::fresh(Timestamp::EPOCH); regions];
    Standing { regions, quorum, status: Status::Unknown }
}

/// Plays lines such as `b 2 down` (the region, the slot's number, what it saw), `b 2 up 9s` (how long after the slot it
/// saw that) and `audit 9` (the minute), and writes down how the monitor's status changes, and from which slot on.
fn play(regions: usize, quorum: &str, script: &str) -> String {
    let mut standing = fresh(regions, quorum.parse().unwrap());
    let mut transcript = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let n: u32 = words[1].parse().unwrap();
        let changes = match words[0] {
            "audit" => audit(&mut standing, slot(n)).into_iter().collect(),
            region => {
                let region = usize::from(region.as_bytes()[0] - b'a');
                let late = words.get(3).map_or(Duration::ZERO, |late| crate::time::parse_duration(late).unwrap());
                check(&mut standing, region, Seen { saw: slot(n) + late, ..seen(n, Verdict::parse(words[2]).unwrap()) })
            }
        };
        for change in changes {
            let from = match change.at.since(slot(0)).as_secs() {
                at if at % 60 == 0 => (at / 60).to_string(),
                at => format!("{}+{}s", at / 60, at % 60),
            };
            writeln!(transcript, "{line}: {} from {from}", change.status).unwrap();
        }
    }
    transcript
}

fn seen(n: u32, verdict: Verdict) -> Seen {
    Seen { slot: slot(n), saw: slot(n), ended: slot(n) + Duration::from_secs(3), verdict: Some(verdict) }
}

fn check(standing: &mut Standing, region: usize, seen: Seen) -> Vec<Change> {
    match fold(standing.regions[region], seen, &policy()) {
        Some(step) => standing.take(region, &step),
        None => Vec::new(),
    }
}

fn audit(standing: &mut Standing, now: Timestamp) -> Option<Change> {
    let gaps = standing.regions.iter().enumerate();
    let gaps = gaps.filter_map(|(region, health)| Some((region, fold_gap(*health, now, GRACE, &policy())?)));
    let gaps: Vec<_> = gaps.collect();
    standing.lapse(&gaps)
}

const ALL_UP: &str = "a 0 up\n b 0 up\n c 0 up\n";

#[test]
fn a_majority_of_three_is_down_as_soon_as_two_say_so() {
    let script = format!("{ALL_UP} b 1 down\n a 1 down\n c 1 up\n a 2 up\n b 2 up\n c 2 up");
    assert_eq!(play(3, "majority", &script), "a 0 up: up from 0\na 1 down: down from 1\nb 2 up: up from 2\n");
}

#[test]
fn an_outage_everywhere_is_never_called_regional_at_either_end() {
    let script = format!("{ALL_UP} c 1 down\n b 1 down\n a 1 down\n a 2 up\n c 2 up\n b 2 up");
    for (quorum, transcript) in [
        ("all", "a 0 up: up from 0\na 1 down: down from 1\nb 2 up: up from 2\n"),
        ("majority", "a 0 up: up from 0\nb 1 down: down from 1\nb 2 up: up from 2\n"),
        ("any", "a 0 up: up from 0\nc 1 down: down from 1\nb 2 up: up from 2\n"),
    ] {
        assert_eq!(play(3, quorum, &script), transcript, "{quorum}");
    }
}

#[test]
fn an_end_that_was_seen_late_ends_it_then_whoever_reports_after() {
    let down = "a 0 up: up from 0\na 1 down: down from 1\n";
    for (last, end) in [
        ("b 2 up", "b 2 up: up from 2+9s\n"),
        ("b 2 unknown", "b 2 unknown: up from 2+9s\n"),
        ("audit 3", "audit 3: up from 2+9s\n"),
        ("b 2 down", "b 2 down: regional from 2+9s\n"),
    ] {
        let script = format!("a 0 up\n b 0 up\n b 1 down\n a 1 down\n a 2 up 9s\n {last}");
        let transcript = play(2, "majority", &script);
        assert_eq!(transcript, format!("{down}{end}"), "{last}");
    }
}

#[test]
fn one_of_three_is_regional_once_the_others_have_reported_on_that_slot() {
    let script = format!("{ALL_UP} a 1 down\n b 1 up\n c 1 up\n a 2 down\n b 2 down\n c 2 up\n b 3 up\n a 3 up");
    assert_eq!(
        play(3, "majority", &script),
        "a 0 up: up from 0\nc 1 up: regional from 1\nb 2 down: down from 2\na 3 up: up from 3\n"
    );
}

#[test]
fn where_the_rest_cannot_reach_the_quorum_nobody_is_waited_for() {
    let script = format!("{ALL_UP} a 1 down\n b 1 up");
    assert_eq!(play(3, "all", &script), "a 0 up: up from 0\nb 1 up: regional from 1\n");
}

#[test]
fn what_goes_on_in_one_region_is_regional_once_the_others_are_well() {
    let script = format!("{ALL_UP} a 1 down\n b 1 down\n c 1 up\n b 2 up\n c 2 up\n a 2 down");
    assert_eq!(play(3, "majority", &script), "a 0 up: up from 0\nb 1 down: down from 1\na 2 down: regional from 2\n");
}

#[test]
fn a_region_that_falls_silent_loses_its_vote_and_holds_nothing_back() {
    let script = "a 0 up\n b 0 up\n a 1 down\n audit 1\n a 2 down\n audit 2\n a 3 down";
    assert_eq!(play(2, "all", script), "a 0 up: up from 0\naudit 2: down from 1\n");
}

#[test]
fn regions_that_fall_silent_together_are_not_compared() {
    let script = format!("{ALL_UP} a 1 down\n a 2 down\n audit 2\n b 3 up\n c 3 up\n a 3 up");
    assert_eq!(play(3, "majority", &script), "a 0 up: up from 0\naudit 2: down from 1\na 3 up: up from 3\n");
}

#[test]
fn a_check_that_was_lost_on_its_way_turns_nothing() {
    let script = format!("{ALL_UP} a 1 down\n b 1 down\n c 1 up\n a 2 down\n c 2 up\n a 3 down\n b 3 down\n c 3 up");
    assert_eq!(play(3, "majority", &script), "a 0 up: up from 0\nb 1 down: down from 1\n");
}

#[test]
fn a_region_that_is_unknown_has_no_vote() {
    let script = format!("{ALL_UP} a 1 down\n b 1 unknown\n c 1 unknown\n b 2 up\n c 2 up");
    let transcript = play(3, "majority", &script);
    assert!(transcript.contains("c 1 unknown: down from 1\n"), "{transcript}");
    let script = "a 0 unknown\n b 0 unknown\n a 1 up\n a 2 unknown";
    assert_eq!(play(2, "any", script), "a 1 up: up from 1\na 2 unknown: unknown from 2\n");
}

#[test]
fn the_first_region_to_report_does_not_decide_alone() {
    assert_eq!(play(3, "majority", "a 0 down\n b 0 up\n c 0 up"), "c 0 up: regional from 0\n");
    assert_eq!(play(3, "majority", "a 0 down\n b 0 down\n c 0 up"), "b 0 down: down from 0\n");
    assert_eq!(play(3, "majority", "a 0 down\n audit 1"), "audit 1: down from 0\n", "the others never came");
}

#[test]
fn slow_in_one_region_is_slow() {
    let script = "a 0 up\n b 0 slow\n a 1 down\n b 1 slow\n a 2 up\n b 2 up";
    assert_eq!(
        play(2, "majority", script),
        "a 0 up: up from 0\nb 0 slow: slow from 0\nb 1 slow: regional from 1\na 2 up: slow from 2\nb 2 up: up from 2\n"
    );
}

#[test]
fn a_smaller_quorum_holds_from_the_next_check_on() {
    let mut standing = fresh(2, Quorum::All);
    for (region, verdict) in [(0, Verdict::Up), (1, Verdict::Down)] {
        check(&mut standing, region, seen(0, verdict));
    }
    assert_eq!(standing.status, Status::Regional);
    standing.quorum = Quorum::Any;
    assert_eq!(check(&mut standing, 0, seen(1, Verdict::Up)), [Change { at: slot(1), status: Status::Down }]);
}

#[derive(Debug, Clone)]
enum Play {
    Check { region: usize, n: u32, verdict: Verdict },
    Audit { n: u32 },
}

fn plays(regions: usize) -> impl Strategy<Value = Vec<Play>> {
    let check = (0..regions, 0u32..40, 0usize..4);
    let check = check.prop_map(|(region, n, verdict)| Play::Check { region, n, verdict: Verdict::ALL[verdict] });
    let audit = (0u32..40).prop_map(|n| Play::Audit { n });
    proptest::collection::vec(prop_oneof![4 => check, 1 => audit], 1..80)
}

fn quorum() -> impl Strategy<Value = Quorum> {
    prop_oneof![Just(Quorum::Any), Just(Quorum::Majority), Just(Quorum::All), (1u8..6).prop_map(Quorum::AtLeast),]
}

fn one(standing: &mut Standing, play: &Play) -> Vec<Change> {
    match *play {
        Play::Check { region, n, verdict } => check(standing, region, seen(n, verdict)),
        Play::Audit { n } => audit(standing, slot(n)).into_iter().collect(),
    }
}

proptest! {
    #[test]
    fn with_one_region_everything_is_as_that_region_says(quorum in quorum(), plays in plays(1)) {
        let mut standing = fresh(1, quorum);
        for play in plays {
            let health = standing.regions[0];
            let step = match play {
                Play::Check { n, verdict, .. } => fold(health, seen(n, verdict), &policy()),
                Play::Audit { n } => fold_gap(health, slot(n), GRACE, &policy()),
            };
            let wanted = step.map(|step| step.changes).unwrap_or_default();
            let wanted: Vec<_> =
                wanted.iter().map(|change| Change { at: change.at, status: change.status.into() }).collect();
            prop_assert_eq!(one(&mut standing, &play), wanted);
        }
    }

    #[test]
    fn the_order_of_the_regions_changes_nothing(quorum in quorum(), plays in plays(4), by in 0usize..4) {
        let (mut standing, mut turned) = (fresh(4, quorum), fresh(4, quorum));
        for play in plays {
            let other = match play.clone() {
                Play::Check { region, n, verdict } => Play::Check { region: (region + by) % 4, n, verdict },
                audit @ Play::Audit { .. } => audit,
            };
            prop_assert_eq!(one(&mut standing, &play), one(&mut turned, &other));
        }
    }

    #[test]
    fn nothing_is_down_below_the_quorum_and_nothing_above_it_is_not(quorum in quorum(), plays in plays(5)) {
        let mut standing = fresh(5, quorum);
        for play in plays {
            let changes = one(&mut standing, &play);
            let down = standing.regions.iter().filter(|health| health.status == Verdict::Down).count();
            let reported = standing.regions.iter().filter(|health| health.status != Verdict::Unknown).count();
            let counting = counting(&standing.regions).count();
            let enough = down > 0 && down >= quorum.needed(counting);
            if changes.iter().any(|change| change.status == Status::Down) && standing.status == Status::Down {
                prop_assert!(enough);
            }
            prop_assert!(!enough || standing.status == Status::Down);
            if reported == 0 {
                prop_assert_eq!(standing.status, Status::Unknown);
            } else if down == 0 {
                prop_assert!(matches!(standing.status, Status::Up | Status::Slow));
            }
        }
    }

    /// Whatever the order in which the reports of each slot come in, an outage that all regions see, and that begins
    /// and ends between slots, is never told as a regional one.
    #[test]
    fn an_outage_that_all_see_is_never_regional(
        quorum in quorum(),
        regions in 1usize..6,
        outage in proptest::collection::vec(any::<bool>(), 1..12),
        seed: u64,
    ) {
        let mut standing = fresh(regions, quorum);
        for (n, is_down) in outage.into_iter().enumerate() {
            let verdict = if is_down { Verdict::Down } else { Verdict::Up };
            for region in 0..regions {
                let region = (region + seed as usize % 97 * (n + 1)) % regions;
                let changes = check(&mut standing, region, seen(n as u32, verdict));
                prop_assert!(changes.iter().all(|change| change.status != Status::Regional));
            }
            prop_assert_eq!(standing.status, Status::from(verdict));
        }
    }

    #[test]
    fn each_change_differs_from_the_status_before(quorum in quorum(), plays in plays(3)) {
        let mut standing = fresh(3, quorum);
        let mut status = standing.status;
        for play in plays {
            for change in one(&mut standing, &play) {
                prop_assert!(change.status != status);
                status = change.status;
            }
            prop_assert_eq!(status, standing.status);
        }
    }
}
