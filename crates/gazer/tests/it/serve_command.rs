//! `gazer serve` as an operator meets it: the first start, the end, and the commands beside it.

use std::time::Duration;

use gazer_testkit::process::Gazer;
use gazer_testkit::receiver::{Answer, WebhookReceiver};
use gazer_testkit::site::{Fault, Site};
use http::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::command::gazer_beside;
use crate::driver::{Driver, OWNER, owned, text};

const PATIENCE: Duration = Duration::from_secs(30);

fn unowned() -> gazer_testkit::process::Recipe {
    Gazer::new(env!("CARGO_BIN_EXE_gazer"))
}

/// The printed line with the address of the set-up page.
async fn setup_line(gazer: &Gazer) -> String {
    gazer.printed().wait_for(|line| line.contains("/setup?token="), Duration::from_secs(10)).await
}

#[tokio::test]
async fn the_first_start_prints_where_the_first_account_is_made() {
    let mut gazer = unowned().start().await;
    let first = setup_line(&gazer).await;
    assert!(first.contains(&format!("{}/setup?token=", gazer.url())), "{first}");
    gazer.printed().clear();
    gazer.restart().await;
    assert_eq!(setup_line(&gazer).await, first, "an address that was copied yesterday still opens");

    let refused = gazer.run(&["token", "create", "--name", "ci"]).await;
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no owner yet"), "{refused:?}");
}

#[tokio::test]
async fn an_owner_from_the_environment_needs_no_browser() {
    let driver = Driver::start(owned()).await;
    let lines = driver.gazer.printed().all();
    assert!(!lines.iter().any(|line| line.contains("/setup")), "{lines:#?}");
    driver.get("/monitors").await;
}

#[tokio::test]
async fn a_token_may_do_what_its_role_says() {
    let gazer = owned().start().await;
    let made = gazer.run(&["token", "create", "--name", "looks", "--role", "viewer"]).await;
    let token = String::from_utf8(made.stdout).expect("a token is text");
    let monitor = json!({ "name": "a", "kind": "http", "http": { "url": "http://127.0.0.1:1/" }, "interval": "1m" });
    let (status, _) = gazer.api(Method::GET, "/api/v1/monitors", None, Some(token.trim())).await;
    assert_eq!(status, 200);
    let (status, _) = gazer.api(Method::POST, "/api/v1/monitors", Some(&monitor), Some(token.trim())).await;
    assert_eq!(status, 403);
}

/// A check that lasts beyond its own next slots holds up nobody: neither the slots of others, nor the pages.
#[tokio::test]
async fn a_site_that_never_answers_holds_up_nobody() {
    let driver = Driver::start(owned()).await;
    let (well, stalled) = (Site::http().await, Site::http().await);
    stalled.break_with(Fault::Stall).await;
    driver.monitor("Well", &well.url(), json!({})).await;
    let slow = json!({"http": {"url": stalled.url(), "timeout": "8s"}, "verify": {"attempts": 0, "gap": "0s"}});
    let slow = driver.monitor("Stalled", &stalled.url(), slow).await;
    driver.until(&format!("/monitors/{slow}"), |seen| seen["status"] == "down", PATIENCE).await;
    stalled.record().wait_until(|hits| hits.len() >= 3, PATIENCE).await;
    let hits: Vec<_> = well.hits().iter().map(|hit| hit.at).collect();
    let longest = hits.windows(2).map(|pair| pair[1].since(pair[0])).max().expect("it is checked again and again");
    assert!(longest < Duration::from_secs(6), "a slot was missed: {longest:?} between two of {hits:?}");
}

#[tokio::test]
async fn a_lost_password_is_replaced_beside_the_running_server() {
    let gazer = owned().start().await;
    let reset = gazer.run(&["user", "reset-password", OWNER]).await;
    assert!(reset.status.success(), "{reset:?}");
    assert!(String::from_utf8_lossy(&reset.stdout).trim().len() >= 24, "{reset:?}");
    let stranger = gazer.run(&["user", "reset-password", "nobody@example.com"]).await;
    assert_eq!(stranger.status.code(), Some(3));
}

#[tokio::test]
async fn a_second_team_is_made_beside_the_running_server_and_sees_nothing_of_the_first() {
    let ann = Driver::start(owned()).await;
    ann.monitor("Shop", "http://127.0.0.1:9999/", json!({"interval": "24h"})).await;
    let create = ["team", "create", "--name", "Bob's", "--owner-email", "Bob@example.com"];
    let made = ann.gazer.run(&create).await;
    assert!(made.status.success() && String::from_utf8_lossy(&made.stdout).trim().len() >= 24, "{made:?}");
    let again = ann.gazer.run(&create).await;
    assert_eq!(again.status.code(), Some(2));
    let told = String::from_utf8_lossy(&again.stderr);
    assert!(told.contains("--owner-email") && told.contains("already"), "{told}");

    let bob = ann.token(&["--team", "bob@EXAMPLE.com"]).await;
    for (token, seen) in [(ann.token(&[]).await, 1), (ann.token(&["--team", OWNER]).await, 1), (bob, 0)] {
        let (status, list) = ann.gazer.api(Method::GET, "/api/v1/monitors", None, Some(&token)).await;
        assert_eq!((status, list["data"].as_array().map(Vec::len)), (200, Some(seen)), "{list}");
    }
    let nobody = ann.gazer.run(&["token", "create", "--name", "ci", "--team", "eve@example.com"]).await;
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("--team"), "{nobody:?}");
}

/// A monitor of a closed address is watched and says at once why it knows nothing; a channel to one is not taken.
#[tokio::test]
async fn an_address_that_is_closed_is_unknown_to_a_monitor_and_refused_to_a_channel() {
    let open = Driver::start(owned()).await;
    let public = Driver::start(owned().arg("--egress").arg("public")).await;
    let own = format!("{}/", open.gazer.url());
    for (driver, url) in [
        (&open, "http://169.254.169.254/"),
        (&open, "http://[::ffff:a9fe:a9fe]/"),
        (&open, own.as_str()),
        (&public, "http://169.254.169.254/"),
        (&public, "http://192.168.0.1/"),
        (&public, "http://2130706433/"),
        (&public, "http://nas.internal/"),
    ] {
        let monitor = driver.monitor("a", url, json!({"interval": "24h"})).await;
        let path = format!("/monitors/{monitor}");
        let seen = driver.until(&path, |seen| seen["last_check"].is_object(), Duration::from_secs(20)).await;
        assert_eq!(seen["status"], "unknown", "{url}: {seen:#}");
        let (_, checked) = driver.call(Method::POST, &format!("{path}/check"), None).await;
        assert_eq!(checked["cause"]["code"], "egress_denied", "{url}: {checked:#}");
        let channel = json!({ "name": "a", "kind": "webhook", "webhook": { "url": url } });
        let (told, problem) = driver.call(Method::POST, "/channels", Some(channel)).await;
        assert_eq!((told, &problem["field"]), (422, &"webhook.url".into()), "{url}: {problem}");
    }
    let channel = json!({ "name": "a", "kind": "webhook", "webhook": { "url": "http://192.168.0.1/" } });
    open.create("/channels", channel).await;
}

#[tokio::test]
async fn sigterm_ends_it_in_order_and_in_time() {
    let mut gazer = owned().start().await;
    let asked = Instant::now();
    let status = gazer.term().await;
    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed() <= Duration::from_secs(10), "it took {:?}", asked.elapsed());
}

/// What is on its way when the end is asked for is waited for and settled, so nobody hears it twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_send_in_flight_is_settled_by_sigterm_and_not_sent_again() {
    let (site, receiver) = (Site::http().await, WebhookReceiver::start().await);
    let mut driver = Driver::start(owned()).await;
    driver.webhook(&receiver.url()).await;
    receiver.answer_next(1, Answer::After(Duration::from_secs(2), 200));
    site.break_with(Fault::Status(503)).await;
    let settings = json!({"verify": {"attempts": 0, "gap": "0s"}});
    driver.monitor("Shop", &site.url(), settings).await;
    let down = receiver.wait_for(|hook| hook.kind() == "monitor.down", Duration::from_secs(20)).await;

    let asked = Instant::now();
    assert_eq!(driver.gazer.term().await.code(), Some(0));
    let took = asked.elapsed();
    assert!(took <= Duration::from_secs(10), "it took {took:?}");
    assert!(took >= Duration::from_secs(1), "it did not wait for the answer: {took:?}");
    driver.gazer.start().await;
    let incident = format!("/incidents/{}", text(&down.json["data"]["incident"]["id"]));
    let story = driver.get(&incident).await;
    assert_eq!(story["deliveries"][0]["state"], "delivered", "{story:#}");

    // A recovery is not sent before the alert it ends is settled: had that been sent again, it would have come first.
    site.repair().await;
    receiver.wait_for(|hook| hook.kind() == "monitor.recovered", Duration::from_secs(20)).await;
    let kinds: Vec<_> = receiver.received().iter().map(|hook| hook.kind().to_owned()).collect();
    assert_eq!(kinds, ["monitor.down", "monitor.recovered"]);
}

#[tokio::test]
async fn a_second_gazer_is_refused_with_what_to_do() {
    let gazer = owned().start().await;
    let data = gazer.data().to_str().expect("the path is UTF-8").to_owned();
    let same_port = gazer_beside(&["serve", "--data", &data, "--listen", &gazer.address().to_string()]).await;
    assert_eq!(same_port.code, 3);
    assert!(same_port.stderr.contains("--listen"), "{}", same_port.stderr);
    let same_data = gazer_beside(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]).await;
    assert_eq!(same_data.code, 3);
    assert!(same_data.stderr.contains("in use by another process"), "{}", same_data.stderr);
}

#[tokio::test]
async fn a_database_without_its_key_is_not_served_and_the_key_is_named() {
    let mut gazer = owned().start().await;
    gazer.term().await;
    let data = gazer.data().to_str().expect("the path is UTF-8").to_owned();
    let (key, kept) = (gazer.data().join("gazer.key"), gazer.data().join("kept"));
    std::fs::rename(&key, &kept).expect("the key is there");
    let refused = gazer_beside(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains(&format!("the key {}", key.display())), "{}", refused.stderr);
    assert!(refused.stderr.contains("backup"), "{}", refused.stderr);
    std::fs::rename(&kept, &key).expect("the key is put back");
    gazer.start().await;
}

#[tokio::test]
async fn a_command_on_a_folder_that_was_never_served_says_so_and_leaves_it_empty() {
    let folder = tempfile::tempdir().expect("the temp directory is writable");
    let data = folder.path().to_str().expect("the path is UTF-8");
    let refused = gazer_beside(&["token", "create", "--name", "ci", "--data", data]).await;
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("start `gazer serve` once"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(data).expect("it is there").count(), 0);
}

#[tokio::test]
async fn a_start_says_that_email_channels_have_no_server() {
    let mut driver = Driver::start(owned()).await;
    let channel = json!({ "name": "a", "kind": "email", "email": { "to": [OWNER] } });
    driver.create("/channels", channel).await;
    let warns = |line: &str| line.contains("no mail server is configured");
    assert!(!driver.gazer.printed().all().iter().any(|line| warns(line)));
    driver.gazer.restart().await;
    driver.gazer.printed().wait_for(|line| warns(line), Duration::from_secs(10)).await;
}
