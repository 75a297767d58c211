use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn report(secs: i64, version: &str) -> Report {
    Report {
        fingerprint: Fingerprint::of("judge", "gazer_bus::registry", "judge observations", &[]),
        function: "judge".into(),
        message: format!("it failed at {secs}"),
        version: version.into(),
        count: 2,
        at: at(secs),
        process: "one".into(),
        region: Region::local(),
    }
}

fn folded(known: Option<&Issue>, report: &Report) -> (Issue, Turn) {
    fold(known, report, IssueId::from_bits(7))
}

fn resolved(secs: i64, version: &str) -> Issue {
    let (issue, _) = folded(None, &report(secs, version));
    Issue { state: Act::Resolve.on(issue.state, at(secs + 10)).unwrap(), ..issue }
}

#[test]
fn what_comes_from_elsewhere_has_its_bounds() {
    let ours = report(10, "0.1.0");
    assert_eq!(ours.clone().within_bounds(), ours);
    let long = || "x\n".repeat(10_000);
    let theirs = Report { function: long(), version: long(), process: long(), message: long(), ..ours };
    let kept = theirs.within_bounds();
    assert!([&kept.function, &kept.version, &kept.process].iter().all(|name| name.len() == NAME_CHARS));
    assert!(kept.message.chars().count() <= 601, "{}", kept.message);
}

#[test]
fn the_first_is_news_and_what_follows_is_counted() {
    let (issue, turn) = folded(None, &report(10, "0.1.0"));
    assert_eq!((turn, issue.count, issue.state), (Turn::New, 2, State::Open));
    let (issue, turn) = folded(Some(&issue), &report(20, "0.2.0"));
    assert_eq!(
        (turn, issue.count, issue.last_seen, issue.message.as_str()),
        (Turn::Repeat, 4, at(20), "it failed at 20")
    );
    assert_eq!((issue.first_version.as_str(), issue.last_version.as_str()), ("0.1.0", "0.2.0"));
    let (late, _) = folded(Some(&issue), &report(15, "0.1.0"));
    assert_eq!((late.count, late.last_seen, late.message), (6, at(20), issue.message), "a late one is counted");
    assert_eq!(late.last_version, "0.2.0");
}

#[test]
fn what_was_resolved_and_comes_again_has_regressed() {
    let issue = resolved(10, "0.9.0");
    for (secs, version, turn) in [
        (21, "0.9.0", Turn::Regressed),
        (21, "0.10.0", Turn::Regressed),
        (21, "unknown", Turn::Regressed),
        (21, "0.8.9", Turn::Repeat),
        (20, "0.9.0", Turn::Repeat),
        (12, "0.10.0", Turn::Repeat),
    ] {
        let (back, found) = folded(Some(&issue), &report(secs, version));
        assert_eq!(found, turn, "{secs} {version}");
        assert_eq!(back.state == State::Open, turn == Turn::Regressed, "{secs} {version}");
    }
}

#[test]
fn what_is_ignored_is_counted_and_stays_so() {
    let (issue, _) = folded(None, &report(10, "0.1.0"));
    let ignored = Issue { state: Act::Ignore.on(issue.state, at(11)).unwrap(), ..issue };
    let (again, turn) = folded(Some(&ignored), &report(20, "0.2.0"));
    assert_eq!((turn, again.state, again.count), (Turn::Repeat, State::Ignored, 4));
}

#[test]
fn an_act_twice_changes_nothing() {
    for act in Act::ALL {
        for state in [State::Open, State::Resolved { at: at(1) }, State::Ignored] {
            if let Some(next) = act.on(state, at(2)) {
                assert_eq!(act.on(next, at(3)), None, "{act:?} {state:?}");
            }
        }
    }
}

#[test]
fn a_digest_comes_once_a_day() {
    let day = 86_400;
    assert!(!is_digest_due(at(100), None, at(99 + day)));
    assert!(is_digest_due(at(100), None, at(100 + day)));
    assert!(!is_digest_due(at(100), Some(at(50 + day)), at(100 + day)), "there was one a moment ago");
    assert!(is_digest_due(at(100), Some(at(100)), at(100 + day)));
    assert!(is_digest_due(at(100), Some(at(900 + day)), at(100 + day)), "the clock was set back");
}

#[test]
fn an_id_says_whose_message_it_is() {
    let id = IssueId::from_bits(7);
    let [webhook, email] = Way::ALL.map(|way| message_id(id, at(1), way));
    assert_ne!(webhook, email);
    assert_ne!(webhook, message_id(id, at(2), Way::Webhook));
    assert!([webhook, email, digest_id(at(1), Way::Email)].iter().all(is_message_id));
    let delivery = DeliveryId::of(crate::IncidentId::from_bits(1), 1, crate::ChannelId::from_bits(1));
    assert!(!is_message_id(&delivery));
}
