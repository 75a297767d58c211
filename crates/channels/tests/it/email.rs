use gazer_channels::Mail;
use gazer_domain::channel::Target;
use gazer_domain::delivery::Outcome;
use gazer_testkit::ca::Ca;
use gazer_testkit::now::now;
use gazer_testkit::smtp::{Security, SmtpServer, Stage};

use crate::story::{channels, id, nobody, notice};

const FROM: &str = "Night watch <alerts@gazer.example>";

fn target(to: &[&str]) -> Target {
    Target::Email { to: to.iter().map(|address| (*address).to_owned()).collect() }
}

fn url(scheme: &str, server: &SmtpServer, rest: &str) -> String {
    format!("{scheme}localhost:{}{rest}", server.address().port())
}

async fn tell(mail: Mail, to: &[&str]) -> Outcome {
    channels(Some(mail)).send(&id(), &target(to), &notice(), now()).await
}

/// A server without TLS, and the settings that say so.
async fn plain() -> (SmtpServer, Mail) {
    let server = SmtpServer::start(Security::None).await;
    let mail = Mail::from_url(&url("smtp://", &server, "?tls=none"), FROM).unwrap();
    (server, mail)
}

#[track_caller]
fn retried(outcome: Outcome, because: &str) {
    let Outcome::Retry { why, .. } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains(because), "{why}");
}

#[tokio::test]
async fn mail_goes_over_starttls_with_a_password_to_everybody_named() {
    let ca = Ca::new("mail");
    let server = SmtpServer::start(Security::StartTls(&ca.leaf(&["localhost"]))).await;
    server.require_login("ann", "p@ss:word");
    let url = url("smtp://ann:p%40ss%3Aword@", &server, "");
    let mail = Mail::from_url_trusting(&url, FROM, ca.pem().as_bytes()).unwrap();

    let outcome = tell(mail, &["ann@example.com", "bob@example.com"]).await;
    let Outcome::Delivered { receipt } = outcome else { panic!("{outcome:?}") };
    assert!(receipt.contains("answered 250"), "{receipt}");

    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert!(mail.encrypted);
    assert_eq!(mail.user.as_deref(), Some("ann"));
    assert_eq!(mail.from, "alerts@gazer.example");
    assert_eq!(mail.to, ["ann@example.com", "bob@example.com"]);
    assert_eq!(mail.header("Message-ID"), Some(format!("<{}@gazer.example>", id())));
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert!(mail.header("Subject").unwrap().starts_with("DOWN "));
}

#[tokio::test]
async fn mail_goes_over_tls_from_the_first_byte() {
    let ca = Ca::new("mail");
    let server = SmtpServer::start(Security::Implicit(&ca.leaf(&["localhost"]))).await;
    let mail = Mail::from_url_trusting(&url("smtps://", &server, ""), FROM, ca.pem().as_bytes()).unwrap();
    let outcome = tell(mail, &["ann@example.com"]).await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    assert!(server.mails()[0].encrypted);
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_is_given_nothing() {
    let ca = Ca::new("mail");
    let server = SmtpServer::start(Security::StartTls(&ca.leaf(&["localhost"]))).await;
    let mail = Mail::from_url(&url("smtp://", &server, ""), FROM).unwrap();
    retried(tell(mail, &["ann@example.com"]).await, "STARTTLS");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn without_starttls_only_those_who_chose_so_send() {
    let server = SmtpServer::start(Security::None).await;
    let with = |rest: &str| Mail::from_url(&url("smtp://", &server, rest), FROM).unwrap();
    retried(tell(with(""), &["ann@example.com"]).await, "offers no STARTTLS");
    assert!(server.mails().is_empty());
    let outcome = tell(with("?tls=opportunistic"), &["ann@example.com"]).await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");

    let secretive = Mail::from_url(&url("smtp://ann:secret@", &server, "?tls=opportunistic"), FROM).unwrap();
    retried(tell(secretive, &["ann@example.com"]).await, "the password is not sent in the clear");
}

#[tokio::test]
async fn a_transient_answer_is_tried_again_and_the_message_stays_the_same() {
    let (server, mail) = plain().await;
    server.reject_next(1, Stage::Recipient, "451 4.3.0 try later");
    retried(tell(mail.clone(), &["ann@example.com"]).await, "451 4.3.0 try later");
    assert!(server.mails().is_empty());
    for _ in 0..2 {
        let outcome = tell(mail.clone(), &["ann@example.com"]).await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    let mails = server.mails();
    assert_eq!(mails[0].data, mails[1].data);
}

#[tokio::test]
async fn a_permanent_answer_about_the_message_is_final() {
    let (server, mail) = plain().await;
    server.reject_next(1, Stage::Greeting, "554 5.7.1 not today");
    retried(tell(mail.clone(), &["ann@example.com"]).await, "connecting: 554 5.7.1 not today");
    server.reject_next(1, Stage::MailFrom, "550 5.7.1 sender not allowed");
    retried(tell(mail.clone(), &["ann@example.com"]).await, "naming the sender: 550 5.7.1 sender not allowed");
    for stage in [Stage::Recipient, Stage::Data] {
        server.reject_next(1, stage, "554 5.7.1 not here");
        let outcome = tell(mail.clone(), &["ann@example.com"]).await;
        let Outcome::Refused { why } = outcome else { panic!("{stage:?}: {outcome:?}") };
        assert!(why.contains("554 5.7.1 not here"), "{why}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn one_mailbox_that_is_gone_does_not_silence_the_others() {
    let (server, mail) = plain().await;
    server.reject_next(1, Stage::Recipient, "550 5.1.1 no such mailbox");
    let outcome = tell(mail, &["gone@example.com", "ann@example.com"]).await;
    let Outcome::Delivered { receipt } = outcome else { panic!("{outcome:?}") };
    assert!(receipt.contains("not taken: gone@example.com") && receipt.contains("no such mailbox"), "{receipt}");
    assert_eq!(server.mails()[0].to, ["ann@example.com"]);
}

#[tokio::test]
async fn one_mailbox_that_is_full_does_not_mail_the_others_again() {
    let (server, mail) = plain().await;
    server.reject_next(1, Stage::Recipient, "452 4.2.2 mailbox full");
    let outcome = tell(mail, &["full@example.com", "ann@example.com"]).await;
    let Outcome::Delivered { receipt } = outcome else { panic!("{outcome:?}") };
    assert!(receipt.contains("not taken: full@example.com") && receipt.contains("mailbox full"), "{receipt}");
    assert_eq!(server.mails()[0].to, ["ann@example.com"]);
}

#[tokio::test]
async fn a_wrong_password_is_repaired_by_people_and_loses_no_alert() {
    let ca = Ca::new("mail");
    let server = SmtpServer::start(Security::StartTls(&ca.leaf(&["localhost"]))).await;
    server.require_login("ann", "right");
    let url = url("smtp://ann:wrong@", &server, "");
    let mail = Mail::from_url_trusting(&url, FROM, ca.pem().as_bytes()).unwrap();
    retried(tell(mail, &["ann@example.com"]).await, "signing in: 535");
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let mail = Mail::from_url(&format!("smtp://{}?tls=none", nobody()), FROM).unwrap();
    retried(tell(mail, &["ann@example.com"]).await, "connecting: Connection refused");
}

#[tokio::test]
async fn without_a_mail_server_it_waits_for_one_and_says_what_to_do() {
    let outcome = channels(None).send(&id(), &target(&["ann@example.com"]), &notice(), now()).await;
    retried(outcome, "no mail server is configured: set --smtp-url");
}
