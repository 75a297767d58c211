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

/// Controls that a finger misses: lower than 40 px. Links within a sentence are part of their line.
const LOW: &str = r"
    const controls = [...document.querySelectorAll('a, button, input, select, textarea, summary, label.tick')];
    const seen = e => e.getBoundingClientRect().width > 0 && !e.closest('.hush, .skip');
    const inline = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline';
    const ticked = e => e.tagName === 'INPUT' && e.closest('label.tick');
    const low = e => e.getBoundingClientRect().height < 40;
    return controls.filter(e => seen(e) && !inline(e) && !ticked(e) && low(e)).map(e => e.outerHTML.slice(0, 120));";

/// Text whose colour is too near to what it stands on (WCAG 2.2, 1.4.3): 4.5 to 1, or 3 to 1 where it is large.
const FAINT: &str = r"
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [[r, g, b], a / 255];
    };
    const over = (below, [colour, alpha]) => below.map((v, i) => v * (1 - alpha) + colour[i] * alpha);
    const ground = e => {
        const layers = [];
        for (let at = e; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce(over, [255, 255, 255]);
    };
    const light = colour => {
        const [r, g, b] = colour.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b + .05;
    };
    const faint = e => {
        const style = getComputedStyle(e), below = ground(e);
        const [a, b] = [light(over(below, rgba(style.color))), light(below)];
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.6 && +style.fontWeight >= 700);
        return Math.max(a, b) / Math.min(a, b) < (large ? 3 : 4.5);
    };
    const says = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const seen = e => e.getBoundingClientRect().width > 0 && !e.closest('.hush, .skip, svg');
    return [...document.body.querySelectorAll('*')].filter(e => says(e) && seen(e) && faint(e)).map(e => e.outerHTML.slice(0, 120));";

/// Light and dark, desktop and phone; on a phone nothing is wider than the screen, and a finger hits what it means to.
async fn look(browser: &Browser, name: &str) {
    for (viewport, scheme, shape) in [
        (Viewport::Desktop, Scheme::Light, "desktop"),
        (Viewport::Desktop, Scheme::Dark, "dark"),
        (Viewport::Phone, Scheme::Dark, "phone-dark"),
        (Viewport::Phone, Scheme::Light, "phone"),
    ] {
        browser.viewport(viewport).await;
        browser.scheme(scheme).await;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{shape}.png"));
        browser.screenshot(path).await;
        assert_eq!(browser.run(FAINT).await, serde_json::json!([]), "{name} is hard to read ({shape})");
    }
    let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wider).await, 0, "{name} scrolls sideways on a phone");
    assert_eq!(browser.run(LOW).await, serde_json::json!([]), "{name} has controls that are lower than 40 px");
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

async fn enter(browser: &Browser, origin: &str, person: &Person) {
    browser.open(&format!("{origin}/sign-in")).await;
    let (name, value) = person.cookie.split_once('=').unwrap();
    let set = serde_json::json!({"name": name, "value": value, "url": origin, "httpOnly": true});
    browser.devtools("Network.setCookie", set).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regions_are_seen_and_chosen_where_there_are_several() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let origin = open(&app).await;
    let browser = Browser::start().await;
    enter(&browser, &origin, &teams.owner).await;
    let (monitor, incident) = people::regional(&app, &teams.owner).await;
    people::channel(&app, &teams.owner).await;
    for (name, path, text) in [
        ("regions-monitors", "/monitors?status=regional".into(), "Regional"),
        ("regions-monitor", format!("/monitors/{monitor}?region=frankfurt"), "down after 84 ms of trying"),
        ("regions-incident", format!("/incidents/{incident}"), "from frankfurt"),
        ("regions-rule", "/alerts/rules/new".into(), "Down in some regions"),
        ("regions-edit", format!("/monitors/{monitor}/edit"), "most of them say so"),
    ] {
        browser.open(&format!("{origin}{path}")).await;
        browser.wait_for_text(text).await;
        look(&browser, name).await;
    }
    browser.run("document.querySelector('input[value=frankfurt]').click()").await;
    browser.press("Save").await;
    browser.wait_for_text("An outage longer than").await;
    let view = app.store().monitor_get(teams.owner.team, monitor).await.unwrap().unwrap();
    assert_eq!(view.regions.iter().map(|health| health.region.as_str()).collect::<Vec<_>>(), ["frankfurt"]);
    assert_eq!(browser.console().await, [""; 0], "scripts and policy agree");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_looks_at_issues_and_settles_them() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let origin = open(&app).await;
    let browser = Browser::start().await;
    enter(&browser, &origin, &teams.owner).await;
    browser.open(&format!("{origin}/monitors")).await;
    browser.press("Operator").await;
    browser.wait_for_text("No known issues").await;
    look(&browser, "issues-none").await;
    people::issue(&app).await;
    let issue = people::issue(&app).await;
    browser.open(&format!("{origin}/operator/issues")).await;
    browser.wait_for_text("cannot be read").await;
    look(&browser, "issues").await;
    browser.open(&format!("{origin}/operator/issues/{issue}")).await;
    browser.wait_for_text("Last occurrences").await;
    look(&browser, "issue").await;
    browser.press("Resolve").await;
    browser.wait_for_text("Resolved").await;
    look(&browser, "issue-resolved").await;
    browser.press("Reopen").await;
    browser.wait_for_text("Open").await;
    browser.press("Ignore").await;
    browser.wait_for_text("Ignored").await;
    let story = app.store().issue_get(issue).await.unwrap().unwrap();
    assert_eq!(story.issue.state, gazer_domain::issue::State::Ignored);
    assert_eq!(browser.console().await, [""; 0], "scripts and policy agree");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_shows_an_incident_as_it_happens() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let origin = open(&app).await;
    let browser = Browser::start().await;
    let Person { team, .. } = &teams.owner;
    enter(&browser, &origin, &teams.owner).await;
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
    let monitor = "return document.querySelector('.monitors a').getAttribute('href')";
    let monitor = browser.run(monitor).await.as_str().unwrap().to_owned();
    let rule = people::make(&app, &teams.owner, "rule").await;
    browser.open(&format!("{origin}/alerts/undelivered")).await;
    look(&browser, "undelivered-none").await;
    people::undelivered(&app, &teams.owner).await;
    let dead = people::undelivered(&app, &teams.owner).await;
    let list = app.store().deliveries_dead(*team, &gazer_store::Page::first(1)).await.unwrap();
    let given_up = list.rows[0].incident.unwrap();
    let channel = people::channel(&app, &teams.owner).await;
    for (name, path) in [
        ("monitor", monitor.clone()),
        ("monitor-week", format!("{monitor}?range=7d")),
        ("monitor-edit", format!("{monitor}/edit")),
        ("monitor-delete", format!("{monitor}/delete")),
        ("alerts-full", "/alerts".into()),
        ("rule", format!("/alerts/rules/{rule}")),
        ("channel", format!("/alerts/channels/{channel}")),
        ("channel-delete", format!("/alerts/channels/{channel}/delete")),
        ("found-none", "/monitors?q=zzz".into()),
        ("undelivered", "/alerts/undelivered?sent=2".into()),
        ("incident-undelivered", format!("/incidents/{given_up}")),
        ("delivery-dead", format!("/alerts/deliveries/{dead}")),
    ] {
        browser.open(&format!("{origin}{path}")).await;
        look(&browser, name).await;
    }
    browser.press("Send again").await;
    browser.wait_for_text("The message arrived").await;
    assert_eq!(browser.console().await, [""; 0], "scripts and policy agree");
}
