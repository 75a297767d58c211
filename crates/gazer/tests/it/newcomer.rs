//! What a newcomer does, in a browser: from the printed address to the evidence of an incident.

use std::time::Duration;

use gazer_testkit::browser::{Browser, Scheme, Viewport};
use gazer_testkit::process::Gazer;
use gazer_testkit::receiver::WebhookReceiver;
use gazer_testkit::site::{Fault, Site};
use gazer_testkit::smtp::{Security, SmtpServer};

use crate::driver::{OWNER, PASSWORD};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_signs_up_watches_a_site_and_reads_why_it_went_down() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mail = SmtpServer::start(Security::None).await;
    let gazer = Gazer::new(env!("CARGO_BIN_EXE_gazer"))
        .arg("--smtp-url")
        .arg(format!("smtp://{}?tls=none", mail.address()))
        .arg("--smtp-from")
        .arg("gazer@example.com")
        .start()
        .await;
    let browser = Browser::start().await;

    // The first account, at the address that the start printed.
    let line = gazer.printed().wait_for(|line| line.contains("/setup?token="), SOON).await;
    let address = line.split_whitespace().find(|word| word.contains("/setup?token=")).expect("an address");
    browser.open(address).await;
    browser.fill("[name=email]", OWNER).await;
    browser.fill("[name=password]", PASSWORD).await;
    browser.press("Make the account").await;

    // A webhook, whose secret is shown once, and mail.
    browser.find("a[href='/monitors/new']").await;
    browser.open(&format!("{}/alerts/channels/new?kind=webhook", gazer.url())).await;
    browser.fill("[name='webhook.url']", &receiver.url()).await;
    browser.press("Add the channel").await;
    let secret = browser.find("#secret").await.text().await.expect("the secret is shown");
    browser.press("Send a test").await;
    let test = receiver.wait_for(|hook| hook.kind() == "test", SOON).await;
    test.verify(secret.trim()).expect("the signature holds");
    browser.open(&format!("{}/alerts/channels/new?kind=email", gazer.url())).await;
    browser.fill("[name='email.to']", OWNER).await;
    browser.press("Add the channel").await;
    browser.wait_for_text(OWNER).await;

    // A monitor.
    browser.open(&format!("{}/monitors/new", gazer.url())).await;
    browser.fill("[name='http.url']", &site.url()).await;
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)").await;
    browser.fill("[name=interval]", "5s").await;
    browser.press("Start watching").await;
    browser.wait_for_text_within("An outage longer than", SOON).await;

    // It breaks. The page says so by itself, and the owner is told.
    site.break_with(Fault::Status(503)).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", SOON).await;
    down.verify(secret.trim()).expect("the signature holds");
    mail.wait_for(|mail| mail.data.contains("503"), SOON).await;
    browser.wait_for_text_within("Down", SOON).await;

    // The incident, with what was asked and what came back.
    let link = down.json["data"]["incident"]["link"].as_str().expect("a link").to_owned();
    browser.open(&link).await;
    browser.wait_for_text("the status was 503").await;
    browser.wait_for_text("Attempt 3").await;
    browser.viewport(Viewport::Phone).await;
    browser.scheme(Scheme::Dark).await;
    let overflow = browser.run("return document.documentElement.scrollWidth > window.innerWidth").await;
    assert_eq!(overflow, false, "the page fits a phone");

    // It is repaired, and the same page tells.
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", SOON).await;
    browser.wait_for_text_within("Recovered", SOON).await;
    let console = browser.console().await;
    assert!(console.is_empty(), "the console is quiet: {console:#?}");
}
