//! The state machine as stories: a text script in, its transcript beside it.

use std::fmt::Write;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::MonitorId;
use crate::cause::{Cause, Code};
use crate::incident::{self, Turn};
use crate::observation::Phases;
use crate::verdict::Judgement;

fn policy(recover_after: u8) -> Policy {
    let interval = Duration::from_secs(60);
    Policy { cadence: Cadence::new(MonitorId::from_bits(0), interval, Timestamp::EPOCH), recover_after }
}

fn seen(slot: Timestamp, verdict: Option<Verdict>) -> Seen {
    Seen { slot, saw: slot, ended: slot, verdict }
}

/// Plays lines such as `check 2 down 150s` (the slot's number, how long after it the check ended), `late 2 down 3s` (how
/// long after it the check saw that), `outdated 3` (a check made for older settings) and `audit 9` (the minute), and
/// writes down what changes.
fn play(recover_after: u8, script: &str) -> String {
    let policy = policy(recover_after);
    let slot = |n: u32| policy.cadence.at_or_after(Timestamp::EPOCH) + Duration::from_secs(60) * n;
    let number = |at: Timestamp| match at.since(slot(0)).as_secs() {
        at if at % 60 == 0 => (at / 60).to_string(),
        at => format!("{}+{}s", at / 60, at % 60),
    };
    let (mut health, mut open, mut transcript) = (Health::fresh(Timestamp::EPOCH), None, String::new());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let n: u32 = words[1].parse().unwrap();
        let step = match words[0] {
            "check" => {
                let verdict = Some(Verdict::parse(words[2]).unwrap());
                let after = words.get(3).map_or(Duration::ZERO, |t| crate::time::parse_duration(t).unwrap());
                fold(health, Seen { ended: slot(n) + after, ..seen(slot(n), verdict) }, &policy)
            }
            "late" => {
                let saw = slot(n) + crate::time::parse_duration(words[3]).unwrap();
                let verdict = Some(Verdict::parse(words[2]).unwrap());
                fold(health, Seen { saw, ended: saw, ..seen(slot(n), verdict) }, &policy)
            }
            "outdated" => fold(health, seen(slot(n), None), &policy),
            _ => fold_gap(health, slot(n), Duration::from_secs(5), &policy),
        };
        let Some(step) = step else {
            writeln!(transcript, "{line}: nothing").unwrap();
            continue;
        };
        health = step.health;
        for change in &step.changes {
            write!(transcript, "{line}: {} from {}", change.status, number(change.at)).unwrap();
            for turn in incident::turn(open, change.status.into()) {
                open = match turn {
                    Turn::Open(trouble) | Turn::Worsen(trouble) => Some(trouble),
                    Turn::Recover => None,
                };
                write!(transcript, ", {turn:?}").unwrap();
            }
            transcript.push('\n');
        }
    }
    transcript
}

#[test]
fn an_outage_opens_at_its_first_bad_check_and_ends_at_its_first_good_one() {
    let transcript = play(1, "check 0 up\n check 1 up\n check 2 down\n check 3 down\n check 4 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\ncheck 2 down: down from 2, Open(Down)\ncheck 4 up: up from 4, Recover\n"
    );
}

#[test]
fn recovery_waits_for_as_many_good_checks_as_asked() {
    let transcript = play(2, "check 0 up\n check 1 down\n check 2 up\n check 3 down\n check 4 up\n check 5 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\ncheck 1 down: down from 1, Open(Down)\ncheck 5 up: up from 5, Recover\n"
    );
}

#[test]
fn our_own_absence_is_unknown_and_an_outage_survives_it() {
    let transcript = play(1, "check 0 up\n check 1 down\n check 7 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\ncheck 1 down: down from 1, Open(Down)\ncheck 7 up: unknown from 2\ncheck 7 up: up from 7, Recover\n"
    );
}

#[test]
fn the_audit_tells_of_a_gap_before_the_next_check_does() {
    let transcript = play(1, "check 0 up\n audit 1\n audit 3\n check 2 up\n check 4 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\naudit 1: nothing\naudit 3: unknown from 1\ncheck 2 up: nothing\ncheck 4 up: up from 4\n"
    );
}

#[test]
fn slots_that_a_long_check_overlaps_are_covered_by_it() {
    let transcript = play(1, "check 0 up\n check 1 down 150s\n check 4 down\n check 5 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\ncheck 1 down 150s: down from 1, Open(Down)\ncheck 5 up: up from 5, Recover\n"
    );
}

#[test]
fn what_was_seen_late_holds_from_then_on() {
    let transcript =
        play(1, "check 0 up\n late 1 down 1s\n late 2 up 4s\n late 3 down 2s\n check 4 up\n late 5 unknown 9s");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\nlate 1 down 1s: down from 1, Open(Down)\nlate 2 up 4s: up from 2+4s, Recover\n\
        late 3 down 2s: down from 3+2s, Open(Down)\ncheck 4 up: up from 4, Recover\n\
        late 5 unknown 9s: unknown from 5\n"
    );
}

#[test]
fn a_good_check_saw_with_its_answer_and_a_bad_one_from_its_first_attempt_on() {
    let at = |ms: i64| Timestamp::from_millis(1_000_000 + ms);
    let check = |judgement| Observation {
        monitor: MonitorId::from_bits(1),
        revision: 1,
        slot: at(0),
        started: at(3),
        took: Duration::from_millis(2_250),
        judgement,
        phases: Phases::default(),
        certificate_until: None,
        attempts: Vec::new(),
    };
    let up = check(Judgement::UP);
    assert_eq!(
        Seen::of(&up, true, at(9_000)),
        Seen { saw: at(2_253), ended: at(2_253), ..seen(at(0), Some(Verdict::Up)) }
    );
    assert_eq!(Seen::of(&up, true, at(2_000)).saw, at(2_000), "its clock is ahead");
    let down = check(Judgement::of(Verdict::Down, Cause::new(Code::ConnectionRefused, "refused")));
    assert_eq!(Seen::of(&down, true, at(9_000)).saw, at(3));
    assert_eq!(Seen::of(&down, false, at(9_000)).verdict, None, "it was made for other settings");
}

#[test]
fn a_check_that_an_edit_overtook_was_made_and_says_nothing() {
    let transcript = play(1, "check 0 up\n outdated 1\n audit 2\n check 2 down\n outdated 5\n check 6 up");
    assert_eq!(
        transcript,
        "check 0 up: up from 0\naudit 2: nothing\ncheck 2 down: down from 2, Open(Down)\n\
         outdated 5: unknown from 3\ncheck 6 up: up from 6, Recover\n"
    );
}

#[test]
fn a_slow_site_that_goes_down_stays_one_incident() {
    let transcript = play(1, "check 0 slow\n check 1 down\n check 2 slow\n check 3 up");
    assert_eq!(
        transcript,
        "check 0 slow: slow from 0, Open(Slow)\ncheck 1 down: down from 1, Worsen(Down)\n\
         check 2 slow: slow from 2, Recover, Open(Slow)\ncheck 3 up: up from 3, Recover\n"
    );
}

proptest! {
    #[test]
    fn a_check_seen_twice_changes_nothing(verdicts in proptest::collection::vec(0usize..4, 1..40)) {
        let policy = policy(1);
        let mut health = Health::fresh(Timestamp::EPOCH);
        for (n, verdict) in verdicts.into_iter().enumerate() {
            let slot = policy.cadence.at_or_after(Timestamp::EPOCH) + Duration::from_secs(60) * n as u32;
            let seen = seen(slot, Some(Verdict::ALL[verdict]));
            health = fold(health, seen, &policy).unwrap().health;
            prop_assert_eq!(fold(health, seen, &policy), None);
        }
    }

    #[test]
    fn changes_are_in_order_and_each_differs_from_the_one_before(slots in proptest::collection::vec((0u32..60, 0usize..4), 1..40)) {
        let policy = policy(2);
        let mut health = Health::fresh(Timestamp::EPOCH);
        let mut last = Change { at: Timestamp::EPOCH, status: Verdict::Unknown };
        for (n, verdict) in slots {
            let slot = policy.cadence.at_or_after(Timestamp::EPOCH) + Duration::from_secs(60) * n;
            let Some(step) = fold(health, seen(slot, Some(Verdict::ALL[verdict])), &policy) else { continue };
            for change in step.changes {
                prop_assert!(change.at >= last.at && change.status != last.status);
                last = change;
            }
            health = step.health;
        }
    }
}
