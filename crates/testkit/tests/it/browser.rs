//! The browser sees a page as a person does.

use std::time::Duration;

use gazer_testkit::browser::{Browser, Scheme, Viewport};
use gazer_testkit::site::{Reply, Site};

const PAGE: &str = "<!doctype html><meta name=viewport content='width=device-width'><title>Form</title>
<style>p{color:rgb(0,0,0)}@media(prefers-color-scheme:dark){p{color:rgb(255,255,255)}}</style>
<p>Here</p><form action=/done><input name=who><button>Send it</button></form><script>console.error('oh no')</script>";

#[tokio::test]
async fn a_form_is_filled_and_sent() {
    let site = Site::http().await;
    site.serve("/form", Reply::html(PAGE));
    let browser = Browser::start().await;
    browser.open(&format!("{}form", site.url())).await;
    browser.wait_for_text("Here").await;

    browser.scheme(Scheme::Dark).await;
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('p')).color").await, "rgb(255, 255, 255)");
    browser.viewport(Viewport::Phone).await;
    assert_eq!(browser.run("return innerWidth").await, 390);
    assert!(browser.console().await.iter().any(|line| line.contains("oh no")));
    let directory = tempfile::tempdir().unwrap();
    browser.screenshot(directory.path().join("form.png")).await;
    assert!(std::fs::read(directory.path().join("form.png")).unwrap().starts_with(b"\x89PNG"));

    browser.fill("input[name=who]", "me").await;
    browser.press("Send it").await;
    browser.wait_for_text_within("All is well", Duration::from_secs(10)).await;
    assert_eq!(browser.path().await, "/done?who=me");
}
