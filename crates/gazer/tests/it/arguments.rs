//! What the command line refuses, and how it says so.

use crate::command::gazer;

#[test]
fn without_arguments_it_says_what_it_can_do() {
    let ended = gazer(&[]);
    assert_eq!(ended.code, 0);
    for command in ["serve", "demo", "check", "cost", "team", "token", "user"] {
        assert!(ended.stdout.contains(command), "{}", ended.stdout);
    }
}

#[test]
fn a_wrong_argument_ends_with_2_and_names_the_flag() {
    for (arguments, flag) in [
        (&["serve", "--listen", "nowhere"][..], "--listen"),
        (&["serve", "--egress", "some"], "--egress"),
        (&["serve", "--allow", "10.0.0.0/40"], "--allow"),
        (&["serve", "--witness", "1.1.1.1"], "--witness"),
        (&["serve", "--retention", "1h"], "--retention"),
        (&["serve", "--retention", "7"], "--retention"),
        (&["serve", "--database", "mysql://localhost/x"], "--database"),
        (&["serve", "--public-url", "ftp://example.com"], "--public-url"),
        (&["serve", "--smtp-url", "smtp://mail.example"], "--smtp-from"),
        (&["serve", "--extra-ca", "nowhere.pem"], "--extra-ca"),
        (&["serve", "--operator-webhook", "ftp://example.com"], "--operator-webhook"),
        (&["serve", "--operator-email", "ann@example.com"], "--smtp-url"),
        (&["serve", "--ping-url", "file:///dev/null"], "--ping-url"),
        (&["check"], "<URL>"),
        (&["check", "file:///etc/passwd"], "<URL>"),
        (&["check", "example.com", "--timeout", "90s"], "--timeout"),
        (&["check", "example.com", "--method", "BREW"], "--method"),
        (&["check", "example.com", "--header", "no colon"], "--header"),
        (&["check", "example.com", "--header", "Content-Length: 1"], "--header"),
        (&["check", "example.com", "--frobnicate"], "--frobnicate"),
        (&["cost"], "--monitors"),
        (&["cost", "--monitors", "0"], "--monitors"),
        (&["cost", "--monitors", "some"], "--monitors"),
        (&["cost", "--monitors", "1", "--interval", "1ms"], "--interval"),
        (&["cost", "--monitors", "1", "--regions", "0"], "--regions"),
        (&["cost", "--monitors", "1", "--alerts=-1"], "--alerts"),
        (&["cost", "--monitors", "1", "--batch", "0"], "--batch"),
        (&["cost", "--monitors", "1", "--batch", "501"], "--batch"),
        (&["cost", "--monitors", "1", "--align", "2m"], "--align"),
        (&["cost", "--monitors", "1", "--troubled", "120%"], "--troubled"),
        (&["cost", "--monitors", "1", "--troubled", "0.01"], "--troubled"),
        (&["cost", "--monitors", "1", "--memory", "64"], "--memory"),
        (&["cost", "--monitors", "1", "--batch-duration", "1h"], "--batch-duration"),
        (&["cost", "--monitors", "1", "--troubled-duration", "0"], "--troubled-duration"),
        (&["cost", "--monitors", "1", "--judge-duration", "60"], "--judge-duration"),
        (&["cost", "--monitors", "1", "--check-duration=-1s"], "--check-duration"),
        (&["team", "create", "--owner-email", "bob@example.com"], "--name"),
        (&["team", "create", "--name", "Shop"], "--owner-email"),
        (&["team", "create", "--name", "", "--owner-email", "bob@example.com"], "--name"),
        (&["team", "create", "--name", "Shop", "--owner-email", "bob"], "--owner-email"),
        (&["token", "create"], "--name"),
        (&["token", "create", "--name", ""], "--name"),
        (&["token", "create", "--name", "ci", "--role", "king"], "--role"),
    ] {
        let ended = gazer(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(flag), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_folder_that_was_misspelt_does_not_become_a_new_gazer() {
    let here = tempfile::tempdir().expect("the temp directory is writable");
    let missing = here.path().join("dta");
    let ended = gazer(&["token", "create", "--name", "ci", "--data", missing.to_str().expect("the path is UTF-8")]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("--data"), "{}", ended.stderr);
    assert!(!missing.exists());
}

#[test]
fn an_operator_who_cannot_be_reached_is_no_operator() {
    let here = tempfile::tempdir().expect("the temp directory is writable");
    let serve = ["serve", "--egress", "public", "--listen", "127.0.0.1:0", "--data"];
    let data = here.path().to_str().expect("the path is UTF-8");
    for flag in ["--operator-webhook", "--ping-url"] {
        let ended = gazer(&[&serve[..], &[data, flag, "http://10.0.0.7/hook"]].concat());
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(ended.stderr.contains(flag) && ended.stderr.contains("--allow"), "{}", ended.stderr);
    }
}
