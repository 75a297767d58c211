use gazer_domain::incident::EventKind;
use gazer_domain::issue::Kind;

use super::*;
use crate::sample;

fn mail(url: &str) -> Mail {
    Mail::from_url(url, "alerts@gazer.example").unwrap()
}

fn message(notice: &Notice) -> String {
    let to = ["ann@example.com".parse().unwrap(), "bob@example.com".parse().unwrap()];
    String::from_utf8(mail("smtp://localhost").message(&sample::id(), &to, notice)).unwrap()
}

#[test]
fn the_subject_suffices_on_a_lock_screen() {
    let subject = |event| render::subject(&sample::notice(event));
    assert_eq!(subject(EventKind::Down), "DOWN · Shop <b>&</b> — 10.0.0.1:80 refused the connection");
    assert_eq!(subject(EventKind::Regional), "REGIONAL · Shop <b>&</b> — 10.0.0.1:80 refused the connection");
    assert_eq!(subject(EventKind::Slow), "SLOW · Shop <b>&</b> — 10.0.0.1:80 refused the connection");
    assert_eq!(subject(EventKind::Recovered), "UP · Shop <b>&</b> — back after 4 min");
    assert_eq!(subject(EventKind::Paused), "PAUSED · Shop <b>&</b> — no longer watched, after 4 min of trouble");
    assert_eq!(subject(EventKind::Deleted), "DELETED · Shop <b>&</b> — no longer monitored, after 4 min of trouble");
    assert_eq!(render::subject(&sample::test_notice()), "TEST · Gazer can reach you here");
}

#[test]
fn the_operator_reads_of_issues() {
    let subject = |kind| render::subject(&sample::issues(kind));
    assert_eq!(subject(Kind::New), "NEW ISSUE · Gazer itself: judge — judge observations: <b>broken</b>");
    assert_eq!(subject(Kind::Regressed), "BACK · Gazer itself: judge — judge observations: <b>broken</b>");
    assert_eq!(subject(Kind::Digest), "DIGEST · Gazer itself: 5 issues");
    insta::assert_snapshot!(render::text(&sample::issues(Kind::Regressed)), @"
    BACK: An error of Gazer itself is back in judge

    judge observations: <b>broken</b>

    Version  0.1.0
    First    2026-11-18 11:06:40 UTC
    Last     2026-11-18 11:06:41 UTC
    So far   12 times

    All that is known: https://gazer.example/operator/issues/iss_4
    ");
    insta::assert_snapshot!(render::text(&sample::issues(Kind::Digest)), @"
    DIGEST: Errors of Gazer itself go on

    Each has happened again since it was told last, or was one of too many to be told at once.

    judge  7 times more, the last at 2026-11-18 11:06:41 UTC: judge observations: <b>broken</b>
    plan   7 times more, the last at 2026-11-18 11:06:41 UTC: judge observations: <b>broken</b>
    …      and 3 more issues

    All issues: https://gazer.example/operator/issues
    ");
    let html = render::html(&sample::issues(Kind::New));
    assert!(html.contains("&lt;b&gt;broken&lt;/b&gt;") && !html.contains("<b>"), "{html}");
    assert!(html.contains("See all that is known"), "{html}");
}

#[test]
fn the_text_tells_the_story() {
    insta::assert_snapshot!(render::text(&sample::notice(EventKind::Recovered)), @r#"
    UP: Shop <b>&</b> is back

    The trouble lasted 4 min. It had begun with: 10.0.0.1:80 refused the connection

    Target  http://10.0.0.1/?a=1&b=2
    Began   2026-11-18 11:06:40 UTC
    Ended   2026-11-18 11:10:40 UTC
    Cause   10.0.0.1:80 refused the connection (connection_refused)

    What Gazer saw: https://gazer.example/incidents/inc_2?a=1&b="2"
    "#);
    insta::assert_snapshot!(render::text(&sample::test_notice()), @r"
    TEST: Gazer can reach you here

    Somebody pressed the test button of this channel. Nothing is wrong.

    Sent  2026-11-18 11:06:40 UTC
    ");
}

#[test]
fn the_page_escapes_what_people_wrote() {
    for event in EventKind::ALL {
        let html = render::html(&sample::notice(event));
        assert!(html.contains("Shop &lt;b&gt;&amp;&lt;/b&gt;") && !html.contains("<b>"), "{html}");
        assert!(html.contains(r#"href="https://gazer.example/incidents/inc_2?a=1&amp;b=&quot;2&quot;""#), "{html}");
        assert!(!html.contains("<img") && !html.contains("<script") && !html.contains("src="), "{html}");
    }
}

#[test]
fn every_attempt_is_the_same_message_and_the_messages_of_an_incident_stand_together() {
    let down = message(&sample::notice(EventKind::Down));
    assert_eq!(down, message(&sample::notice(EventKind::Down)));
    for line in [
        "From: Gazer <alerts@gazer.example>",
        "To: ann@example.com, bob@example.com",
        "Date: Wed, 18 Nov 2026 11:06:40 +0000",
        "Message-ID: <dlv_00000000000000000000000002_1_00000000000000000000000003@gazer.example>",
        "References: <inc_00000000000000000000000002@gazer.example>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(down.contains(&format!("{line}\r\n")), "{line} is missing from {down}");
    }
    assert!(message(&sample::notice(EventKind::Recovered)).contains("References: <inc_00000000000000000000000002@"));
    assert!(!message(&sample::test_notice()).contains("References"));
}

#[test]
fn a_name_cannot_write_headers() {
    let mut notice = sample::notice(EventKind::Down);
    let About::Incident(story) = &mut notice.about else { unreachable!() };
    story.monitor_name = "Shop\r\nBcc: eve@example.com\r\n\r\nhello".into();
    let message = message(&notice);
    let (headers, _) = message.split_once("\r\n\r\n").unwrap();
    assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
}

#[test]
fn no_header_or_body_line_is_longer_than_smtp_allows() {
    let mut notice = sample::notice(EventKind::Down);
    let About::Incident(story) = &mut notice.about else { unreachable!() };
    story.monitor_target = format!("http://10.0.0.1/{}", "x".repeat(2_000));
    let message = message(&notice);
    assert!(message.lines().all(|line| line.len() <= 998), "RFC 5321 §4.5.3.1.6");
}

#[test]
fn the_server_is_read_from_its_url() {
    let server = |url: &str| mail(url).server.to_string();
    assert_eq!(server("smtp://mail.example.com"), "mail.example.com:587");
    assert_eq!(server("smtps://mail.example.com"), "mail.example.com:465");
    assert_eq!(server("smtp://u:p%40ss%3A@[::1]:2525?tls=none"), "[::1]:2525");
    let debugged = format!("{:?}", mail("smtp://user:secret@mail.example.com"));
    assert_eq!(debugged, "Mail(mail.example.com:587 from Gazer <alerts@gazer.example>)");
}

#[test]
fn settings_that_are_wrong_are_named() {
    let wrong = |url: &str| Mail::from_url(url, "a@example.com").unwrap_err().to_string();
    assert!(wrong("mail.example.com").contains("smtp://user:password@"));
    assert!(wrong("http://mail.example.com").contains("not http:"));
    assert!(wrong("smtp:///x").contains("no host"));
    assert!(wrong("smtp://mail.example.com/x").contains("not with /x"));
    assert!(wrong("smtp://mail.example.com?tls=maybe").contains("tls=maybe"));
    assert!(wrong("smtps://mail.example.com?tls=none").contains("tls=none"));
    assert!(wrong("smtp://user@mail.example.com").contains("a user and a password"));
    assert!(wrong("smtp://user:%zz@mail.example.com").contains("percent-encoded"));
    let from = Mail::from_url("smtp://mail.example.com", "alerts").unwrap_err().to_string();
    assert!(from.contains("alerts"), "{from}");
    let root = Mail::from_url_trusting("smtp://mail.example.com", "a@example.com", b"no pem").unwrap_err();
    assert!(root.to_string().contains("PEM"), "{root}");
}

fn say(answers: &[(&str, Answer)]) -> Outcome {
    let answers = answers.iter().map(|(who, answer)| ((*who).to_owned(), answer.clone())).collect();
    outcome(answers, Duration::from_millis(30))
}

#[test]
fn one_mailbox_that_is_gone_or_full_neither_silences_nor_repeats_the_others() {
    let taken = || Answer::Taken("mx:25 answered 250 ok".into());
    let never = || Answer::Never("550 gone".into());
    let delivered = |receipt: &str| Outcome::Delivered { receipt: receipt.into() };
    assert_eq!(say(&[("a", taken()), ("b", taken())]), delivered("mx:25 answered 250 ok in 30 ms"));
    assert_eq!(
        say(&[("a", never()), ("b", taken()), ("c", never())]),
        delivered("mx:25 answered 250 ok in 30 ms; not taken: a, c: 550 gone")
    );
    assert_eq!(say(&[("a", never())]), Outcome::Refused { why: "a: 550 gone".into() });
    let later = || Answer::Later("450 later".into());
    assert_eq!(
        say(&[("a", taken()), ("b", never()), ("c", later())]),
        delivered("mx:25 answered 250 ok in 30 ms; not taken: b: 550 gone; c: 450 later")
    );
    let all = Outcome::Retry { why: "b: 550 gone; c: 450 later".into(), after: None };
    assert_eq!(say(&[("b", never()), ("c", later())]), all);
}
