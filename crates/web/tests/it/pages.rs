//! What a person does with the pages, from the set-up on.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::FutureExt;
use gazer_web::Changed;
use gazer_web::auth::SETUP_TOKEN;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::app::{Answer, App};
use crate::people::{self, Person};
use crate::visitor::Visitor;

const OWNER: [(&str, &str); 4] =
    [("token", "t0ken"), ("email", "Ann@example.com"), ("password", "correct horse"), ("team", "Ours")];

async fn settled<'a>(app: &'a App) -> Visitor<'a> {
    app.store().setting_set(SETUP_TOKEN, "t0ken").await.unwrap();
    let mut ann = Visitor::new(app);
    assert_eq!(ann.submit("/setup", &OWNER).await, "/monitors");
    ann
}

/// The page once it says so; a stand-in works beside us.
async fn until(ann: &mut Visitor<'_>, path: &str, says: &str) -> String {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let page = ann.page(path).await;
        if page.contains(says) {
            return page;
        }
        assert!(tokio::time::Instant::now() < deadline, "{path} never said {says}: {page}");
        tokio::task::yield_now().await;
    }
}

#[track_caller]
fn refused(answer: &Answer, says: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains(says) && answer.text.contains("aria-invalid"), "{says}: {}", answer.text);
}

#[tokio::test]
async fn a_newcomer_signs_up_and_watches_a_site() {
    let app = App::new().await;
    app.store().setting_set(SETUP_TOKEN, "t0ken").await.unwrap();
    let mut ann = Visitor::new(&app);
    assert_eq!(ann.get("/").await.headers[header::LOCATION], "/setup");
    assert_eq!(ann.get("/sign-in").await.headers[header::LOCATION], "/setup");
    assert!(ann.page("/setup?token=t0ken").await.contains(r#"value="t0ken""#));
    let wrong = [("token", "guess"), ("email", "ann@example.com"), ("password", "correct horse")];
    refused(&ann.post("/setup", &wrong).await, "is not the token");
    let short = [("token", "t0ken"), ("email", "ann@example.com"), ("password", "short")];
    refused(&ann.post("/setup", &short).await, "at least 10 characters");
    assert_eq!(ann.submit("/setup", &OWNER).await, "/monitors");
    assert_eq!(ann.get("/setup").await.headers[header::LOCATION], "/sign-in", "nobody sets up twice");

    assert!(ann.page("/monitors").await.contains("Nothing is watched yet"));
    let monitor = ann.submit("/monitors", &[("http.url", "example.com")]).await;
    let page = ann.page(&monitor).await;
    assert!(page.contains("An outage longer than 1 min 3 s is always noticed"), "{page}");
    assert!(page.contains("Waiting for the first check"), "{page}");
    assert!(ann.page("/monitors?q=EXAMPLE&status=unknown").await.contains("https://example.com/"));
    assert!(ann.page("/monitors?q=nowhere").await.contains("No monitor matches"));
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_changes_nothing() {
    let app = App::new().await;
    let mut ann = settled(&app).await;
    let answer = ann.post("/monitors", &[("http.url", "file:///etc/passwd"), ("name", "<b>Mine")]).await;
    refused(&answer, "must begin with http://");
    assert!(answer.text.contains("&lt;b&gt;Mine") && answer.text.contains(r#"id="f-http-url-wrong""#));
    assert!(ann.page("/monitors").await.contains("Nothing is watched yet"));

    let monitor = ann.submit("/monitors", &[("http.url", "https://example.com/"), ("name", "Shop")]).await;
    let edit = ann.page(&format!("{monitor}/edit")).await;
    assert!(edit.contains(r#"value="30s""#), "{edit}");
    let mut fields = vec![
        ("http.url", "https://example.com/health"),
        ("name", "Shop"),
        ("interval", "1m"),
        ("http.method", "GET"),
        ("http.timeout", "10s"),
        ("http.follow_redirects", "0"),
        ("http.auth.kind", "basic"),
        ("http.auth.user", "ann"),
        ("http.auth.password", "hunter2"),
        ("verify.attempts", "2"),
        ("verify.gap", "1s"),
        ("recover_after", "1"),
        ("http.assertions[4].kind", "body"),
        ("http.assertions[4].op", "matches"),
        ("http.assertions[4].value", "("),
    ];
    let answer = ann.post(&monitor, &fields).await;
    refused(&answer, "is not a pattern");
    assert!(answer.text.contains(r#"id="f-http-assertions-0-row-wrong""#), "{}", answer.text);
    assert!(!answer.text.contains("hunter2"));
    fields.pop();
    fields.push(("http.assertions[4].value", "ok|fine"));
    assert_eq!(ann.submit(&monitor, &fields).await, monitor);
    let edit = ann.page(&format!("{monitor}/edit")).await;
    assert!(edit.contains("ok|fine") && edit.contains(r#"value="1m""#) && !edit.contains("hunter2"), "{edit}");
}

#[tokio::test]
async fn a_channel_is_added_with_its_rule_and_tested() {
    let app = App::new().await;
    let mut ann = settled(&app).await;
    assert!(ann.page("/alerts").await.contains("Nobody is told yet"));
    let bad = [("kind", "webhook"), ("webhook.url", "not a url")];
    refused(&ann.post("/alerts/channels", &bad).await, "is not a URL");
    let closed = [("kind", "webhook"), ("webhook.url", "http://169.254.169.254/")];
    refused(&ann.post("/alerts/channels", &closed).await, "belongs to the cloud");
    let good = [("kind", "webhook"), ("webhook.url", "https://hooks.example/a"), ("name", "Ops"), ("tell", "on")];
    let made = ann.post("/alerts/channels", &good).await;
    assert!(made.text.contains("whsec_"), "{}", made.text);
    let alerts = ann.page("/alerts").await;
    assert!(
        !alerts.contains("whsec_") && alerts.contains("When any monitor is down or has recovered, at once"),
        "{alerts}"
    );
    let channel = alerts.split("action=\"").find_map(|part| part.strip_prefix("/alerts/channels/")).unwrap();
    let channel = format!("/alerts/channels/{}", channel.split('/').next().unwrap());
    let test = ann.submit(&format!("{channel}/test"), &[]).await;
    until(&mut ann, &test, "The test message arrived").await;
    let renewed = ann.post(&format!("{channel}/secret"), &[]).await;
    assert!(renewed.text.contains("whsec_") && renewed.text != made.text);

    let id = channel.rsplit('/').next().unwrap();
    let rule = [("name", "Night"), ("on", "down"), ("after", "5m"), ("channels", id), ("scope", "all")];
    ann.submit("/alerts/rules", &rule).await;
    assert!(ann.page("/alerts").await.contains("When any monitor is down, if it lasts 5 min"));
    let foreign = [("name", "N"), ("on", "down"), ("channels", "chn_00000000000000000000000001")];
    refused(&ann.post("/alerts/rules", &foreign).await, "f-channels-wrong");
    let none = ann.post("/alerts/rules", &[&foreign[..2], &[("scope", "some")]].concat()).await;
    assert!(none.status == 422 && none.text.contains("must name at least one monitor"), "{}", none.text);
    assert!(ann.page(&format!("{channel}/delete")).await.contains("Delete the channel"));
    ann.submit(&format!("{channel}/delete"), &[]).await;
    assert!(ann.page("/alerts").await.contains("Nobody is told yet"));
}

#[tokio::test]
async fn an_incident_shows_its_evidence_and_ends_with_its_monitor() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let Person { cookie, .. } = &teams.owner;
    let mut ann = Visitor::with(&app, cookie);
    let incident = format!("/incidents/{}", people::incident(&app, &teams.owner).await);
    let page = ann.page(&incident).await;
    assert!(page.contains("192.0.2.7:443 refused the connection") && page.contains("Attempt 1"), "{page}");
    assert!(ann.page("/incidents?show=open").await.contains(&incident));
    assert!(!ann.page("/incidents?show=closed").await.contains(&incident));
    let monitor = page.split("href=\"").find(|part| part.starts_with("/monitors/mon_")).unwrap();
    let monitor = monitor.split('"').next().unwrap().to_owned();
    assert!(ann.page(&monitor).await.contains(&incident));
    for range in ["24h", "7d", "nonsense"] {
        ann.page(&format!("{monitor}?range={range}")).await;
    }
    let check = ann.submit(&format!("{monitor}/check"), &[]).await;
    until(&mut ann, &check, "Took").await;
    ann.submit(&format!("{monitor}/pause"), &[]).await;
    assert!(ann.page(&monitor).await.contains("Resume"));
    assert!(ann.page(&incident).await.contains("Monitor paused"));
    ann.submit(&format!("{monitor}/resume"), &[]).await;
    assert!(ann.page(&format!("{monitor}/delete")).await.contains("Delete for good"));
    ann.submit(&format!("{monitor}/delete"), &[]).await;
    assert_eq!(ann.get(&monitor).await.status, 404);
    assert!(ann.get(&monitor).await.text.contains("Nothing to see here"));
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_with_a_button() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let mut ann = Visitor::with(&app, &teams.admin.cookie);
    assert!(ann.page("/alerts/undelivered").await.contains("Nothing was given up"));
    let alerts = ann.page("/alerts").await;
    assert!(alerts.contains("Not delivered") && !alerts.contains("Messages were given up"), "{alerts}");
    let id = people::undelivered(&app, &teams.owner).await;
    assert!(ann.page("/alerts").await.contains("Messages were given up"));
    let list = ann.page("/alerts/undelivered").await;
    let press = format!("/alerts/deliveries/{id}/send-again");
    assert!(list.contains("the receiver answered 410 Gone") && list.contains(&press), "{list}");
    let incident = list.split('"').find(|part| part.starts_with("/incidents/")).unwrap();
    assert!(ann.page(incident).await.contains(&press));
    let mut ben = Visitor::with(&app, &teams.viewer.cookie);
    for path in ["/alerts/undelivered", incident] {
        let page = ben.page(path).await;
        assert!(page.contains("410 Gone") && !page.contains(&press), "a viewer reads: {page}");
    }
    let shown = ann.submit(&press, &[]).await;
    until(&mut ann, &shown, "The message arrived").await;
    assert_eq!(ann.submit(&press, &[]).await, shown, "pressed twice, it shows what became of it");
    assert!(ann.page("/alerts/undelivered").await.contains("Nothing was given up"));

    // The first channel is told of all three incidents, and missed two.
    for _ in 0..2 {
        people::undelivered(&app, &teams.owner).await;
    }
    let list = ann.page("/alerts/undelivered").await;
    let all = list.split('"').find(|part| part.ends_with("/send-again") && part.contains("/channels/")).unwrap();
    let shown = ann.submit(all, &[]).await;
    assert_eq!(shown, "/alerts/undelivered?sent=2");
    assert!(ann.page(&shown).await.contains("On the way again: 2 messages"));

    let gone = people::undelivered(&app, &teams.owner).await;
    let sent = app.store().delivery_get(teams.owner.team, &gone).await.unwrap().unwrap();
    ann.submit(&format!("/alerts/channels/{}/delete", sent.channel), &[]).await;
    let refused = ann.post(&format!("/alerts/deliveries/{gone}/send-again"), &[]).await;
    assert!(refused.status == 409 && refused.text.contains("Its channel was deleted"), "{}", refused.text);
}

#[tokio::test]
async fn an_account_is_left_and_entered_again() {
    let app = App::new().await;
    let mut ann = settled(&app).await;
    let made = ann.post("/account/tokens", &[("name", "ci"), ("role", "admin")]).await;
    let token = made.text.split("gzr_").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(app.get(&format!("gzr_{token}"), "/api/v1/monitors").await.status, 200);
    let account = ann.page("/account").await;
    assert!(account.contains("ci") && !account.contains(&token));
    let delete = account.split("href=\"").find(|part| part.starts_with("/account/tokens/")).unwrap();
    let delete = delete.split('"').next().unwrap().to_owned();
    assert!(ann.page(&delete).await.contains("Delete the token ci?"));
    ann.submit(&delete, &[]).await;
    assert_eq!(app.get(&format!("gzr_{token}"), "/api/v1/monitors").await.status, 401);

    let wrong = [("present", "wrong horse"), ("password", "another horse")];
    refused(&ann.post("/account/password", &wrong).await, "is not your present password");
    let right = [("present", "correct horse"), ("password", "another horse")];
    assert!(ann.post("/account/password", &right).await.text.contains("Password changed"));
    ann.page("/account").await;
    assert_eq!(ann.submit("/sign-out", &[]).await, "/sign-in");
    let shut = ann.get("/account").await;
    assert_eq!(shut.headers[header::LOCATION], "/sign-in?next=%2Faccount");
    let old = [("email", "ann@example.com"), ("password", "correct horse")];
    refused(&ann.post("/sign-in", &old).await, "does not go with this e-mail");
    let new = [("email", "ann@example.com"), ("password", "another horse"), ("next", "/account")];
    assert_eq!(ann.submit("/sign-in", &new).await, "/account");
    ann.page("/account").await;
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_nothing_comes_from_elsewhere() {
    let app = App::new().await;
    let mut ann = settled(&app).await;
    let page = ann.page("/monitors").await;
    let assets: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(assets.len(), 3, "{page}");
    for path in assets {
        let answer = ann.get(path).await;
        assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert!(!answer.text.contains("http://") || answer.text.contains("www.w3.org/2000/svg"));
    }
    assert_eq!(ann.get("/assets/gazer-0.css").await.status, 404);
    assert_eq!(ann.get("/favicon.ico").await.headers[header::CONTENT_TYPE], "image/svg+xml");
    let wrong = ann.post("/monitors/new", &[]).await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.text.contains("does not take POST"), "{}", wrong.text);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_on_a_page() {
    let app = App::new().await;
    let mut ann = settled(&app).await;
    let large = "x".repeat(300_000);
    let answer = ann.post("/monitors", &[("http.url", "shop.example"), ("http.body", &large)]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text.contains("larger than 256 KiB") && answer.text.contains("To the start"), "{}", answer.text);
}

#[tokio::test]
async fn an_open_page_hears_of_its_own_team_only() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let request = Request::get("/live").header(header::COOKIE, &teams.viewer.cookie).body(Body::empty()).unwrap();
    let answer = gazer_web::router(app.web.clone()).oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut events = answer.into_body();
    app.web.tell(Changed { team: teams.other.team, monitor: None });
    assert!(events.frame().now_or_never().is_none(), "what others change is not told");
    app.web.tell(Changed { team: teams.owner.team, monitor: None });
    let told = tokio::time::timeout(Duration::from_secs(10), events.frame()).await.unwrap().unwrap().unwrap();
    let text = String::from_utf8(told.into_data().unwrap().to_vec()).unwrap();
    assert!(text.starts_with("event: changed\n"), "{text}");
}
