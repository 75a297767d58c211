use proptest::prelude::*;

use super::*;
use crate::cause::{Cause, Code};

fn well() -> Facts {
    let refused = Cause::new(Code::ConnectionRefused, "127.0.0.1:4711 refused the connection");
    Facts {
        canaries: Some(Canaries { up: Judgement::UP, down: Judgement::of(Verdict::Down, refused) }),
        world: World::Answers,
        store: StoreSays::Taken { overdue: 0, watched: 10 },
        judging: Duration::ZERO,
    }
}

fn at(look: usize) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000) + Duration::from_secs(15) * look as u32
}

fn faulty(look: bool) -> Option<(Fault, String)> {
    look.then(|| (Fault::NetworkDown, "gone".to_owned()))
}

#[test]
fn all_is_well_also_where_nothing_can_be_asked() {
    assert_eq!(judge(&well()), None);
    let nobody = StoreSays::Taken { overdue: 0, watched: 0 };
    let bare = Facts { canaries: None, world: World::Unasked, store: nobody, judging: Duration::from_secs(1) };
    assert_eq!(judge(&bare), None);
}

#[test]
fn each_fault_is_found_and_says_what_it_is() {
    let timeout = Cause::new(Code::ConnectTimeout, "no answer");
    let canaries = |up, down| Some(Canaries { up, down });
    let down = || Judgement::of(Verdict::Down, timeout.clone());
    for (facts, fault, says) in [
        (Facts { canaries: canaries(down(), down()), ..well() }, Fault::UpNotSeen, "was found down: no answer"),
        (
            Facts { canaries: canaries(Judgement::UP, Judgement::UP), ..well() },
            Fault::DownNotSeen,
            "closed was found up",
        ),
        (
            Facts { canaries: canaries(Judgement::UP, Judgement::unknown(timeout.clone())), ..well() },
            Fault::DownNotSeen,
            "closed was found unknown: no answer",
        ),
        (Facts { world: World::Silent { asked: 3 }, ..well() }, Fault::NetworkDown, "none of 3 witnesses"),
        (
            Facts { store: StoreSays::Silent { why: "disk full".into() }, ..well() },
            Fault::StoreSilent,
            "database does not take what is decided: disk full",
        ),
        (Facts { judging: Duration::from_secs(21), ..well() }, Fault::JudgingLate, "21"),
        (
            Facts { store: StoreSays::Taken { overdue: 6, watched: 10 }, ..well() },
            Fault::ChecksMissed,
            "6 of 10 monitors",
        ),
    ] {
        let (found, text) = judge(&facts).expect("a fault");
        assert_eq!(found, fault);
        assert!(text.contains(says), "{text}");
    }
    let half = StoreSays::Taken { overdue: 5, watched: 10 };
    assert_eq!(judge(&Facts { store: half, ..well() }), None, "no more than half are not most");
}

#[test]
fn two_looks_open_and_two_close_and_each_begins_with_its_first() {
    let mut sight = Sight::default();
    let looks = [true, false, true, true, false, true, false, false];
    let turns: Vec<_> = looks.iter().enumerate().map(|(n, look)| sight.fold(at(n), faulty(*look))).collect();
    let opened = Turn::Opened { at: at(2), fault: Fault::NetworkDown, text: "gone".into() };
    let closed = Turn::Closed { at: at(6) };
    assert_eq!(turns, [None, None, None, Some(opened), None, None, None, Some(closed)]);
}

#[test]
fn what_was_open_is_taken_up_again() {
    let mut sight = Sight::default();
    sight.resume(Some(Fault::NetworkDown));
    assert_eq!(sight.fold(at(0), faulty(true)), None, "it is no new one");
    assert_eq!(sight.fold(at(1), None), None);
    assert!(sight.is_doubtful());
    sight.resume(Some(Fault::NetworkDown));
    assert_eq!(sight.fold(at(2), None), Some(Turn::Closed { at: at(1) }), "what was known is no reason to begin anew");
}

#[test]
fn a_start_that_did_not_get_through_is_told_by_its_end() {
    let mut episode = Episode {
        region: Region::local(),
        fault: Fault::NetworkDown,
        text: "gone".into(),
        started: at(0),
        ended: None,
    };
    let due = |episode: &Episode| Told::ALL.map(|told| episode.due(told));
    assert_eq!(due(&episode), [Some(News::Impaired), None, None]);
    episode.ended = Some(at(4));
    assert_eq!(due(&episode), [Some(News::Recovered), Some(News::Recovered), None]);
    assert_eq!(episode.message(News::Impaired).as_str(), "opr_local_1790000000000_1");
    assert_ne!(episode.message(News::Impaired), episode.message(News::Recovered));
}

proptest! {
    /// Whatever is found, episodes alternate, never overlap, and a single look that differs changes nothing.
    #[test]
    fn it_never_flaps(looks in proptest::collection::vec(any::<bool>(), 0..60)) {
        let mut sight = Sight::default();
        let mut last = None;
        for (n, look) in looks.iter().enumerate() {
            let before = sight.is_impaired();
            let turn = sight.fold(at(n), faulty(*look));
            prop_assert_eq!(turn.is_some(), sight.is_impaired() != before);
            let Some(turn) = turn else { continue };
            prop_assert!(n > 0 && looks[n - 1] == *look && *look != before, "two in a row say so");
            let (from, opens) = match turn { Turn::Opened { at, .. } => (at, true), Turn::Closed { at } => (at, false) };
            prop_assert_eq!((from, opens), (at(n - 1), *look));
            prop_assert!(last.is_none_or(|last| last < from));
            last = Some(from);
        }
    }
}
