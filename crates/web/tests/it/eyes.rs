//! The pages in a real browser: nothing is refused by our own policy, nothing sticks out on a phone, and a page that
//! stays open shows what changes. Pictures of what it saw are left in cargo's directory for such things.

use std::path::Path;

use gazer_testkit::browser::{Browser, Scheme, Viewport};
use gazer_web::auth::SETUP_TOKEN;
use tokio::net::TcpListener;

use crate::app::App;
use crate::people::{self, Person};

async fn open(app: &App) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = gazer_web::router(app.web.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    origin
}

/// Light and dark, desktop and phone; on a phone nothing is wider than the screen.
async fn look(browser: &Browser, name: &str) {
    for (viewport, scheme, shape) in [
        (Viewport::Desktop, Scheme::Light, "desktop"),
        (Viewport::Desktop, Scheme::Dark, "dark"),
        (Viewport::Phone, Scheme::Light, "phone"),
    ] {
        browser.viewport(viewport).await;
        browser.scheme(scheme).await;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{shape}.png"));
        browser.screenshot(path).await;
    }
    let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wider).await, 0, "{name} scrolls sideways on a phone");
    browser.viewport(Viewport::Desktop).await;
    browser.scheme(Scheme::Light).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_clicks_through_and_the_page_stays_fresh() {
    let app = App::new().await;
    app.store().setting_set(SETUP_TOKEN, "t0ken").await.unwrap();
    let origin = open(&app).await;
    let browser = Browser::start().await;
    browser.open(&format!("{origin}/")).await;
    browser.fill("#f-token", "t0ken").await;
    browser.fill("#f-email", "ann@example.com").await;
    browser.fill("#f-password", "correct horse").await;
    look(&browser, "setup").await;
    browser.press("Make the account").await;
    browser.wait_for_text("Nothing is watched yet").await;
    look(&browser, "empty").await;
    browser.fill("input[name='http.url']", "shop.example").await;
    browser.press("Start watching").await;
    browser.wait_for_text("An outage longer than").await;
    browser.wait_for_text("Live").await;
    look(&browser, "monitor-new").await;

    browser.press("Monitors").await;
    browser.wait_for_text("Watch a site").await;
    browser.press("Watch a site").await;
    browser.press("More settings").await;
    browser.press("Add a row").await;
    assert_eq!(browser.run("return document.querySelectorAll('.assert').length").await, 3);
    look(&browser, "new").await;
    browser.press("Alerts").await;
    browser.press("Add a webhook").await;
    browser.fill("#f-webhook-url", "https://hooks.example/").await;
    browser.press("Add the channel").await;
    browser.wait_for_text("whsec_").await;
    look(&browser, "secret").await;
    browser.press("Send a test").await;
    browser.wait_for_text("The test message arrived").await;
    for path in ["alerts", "account", "incidents", "alerts/rules/new"] {
        browser.open(&format!("{origin}/{path}")).await;
        look(&browser, &path.replace('/', "-")).await;
    }
    assert_eq!(browser.console().await, [""; 0], "scripts and policy agree");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_shows_an_incident_as_it_happens() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let origin = open(&app).await;
    let browser = Browser::start().await;
    let Person { cookie, team, .. } = &teams.owner;
    browser.open(&format!("{origin}/sign-in")).await;
    let (name, value) = cookie.split_once('=').unwrap();
    let set = serde_json::json!({"name": name, "value": value, "url": origin, "httpOnly": true});
    browser.devtools("Network.setCookie", set).await;
    browser.open(&format!("{origin}/incidents")).await;
    browser.wait_for_text("No incidents").await;
    browser.wait_for_text("Live").await;
    let incident = people::incident(&app, &teams.owner).await;
    app.web.tell(gazer_web::Changed { team: *team, monitor: None });
    browser.wait_for_text("192.0.2.7:443 refused the connection").await;
    look(&browser, "incidents-open").await;
    browser.open(&format!("{origin}/incidents/{incident}")).await;
    browser.wait_for_text("Attempt 1").await;
    look(&browser, "incident").await;
    browser.open(&format!("{origin}/monitors")).await;
    look(&browser, "monitors").await;
    assert_eq!(browser.console().await, [""; 0], "scripts and policy agree");
}
