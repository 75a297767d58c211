//! A site breaks and is repaired, on the same port.

use std::time::Duration;

use bytes::Bytes;
use gazer_testkit::ca::Ca;
use gazer_testkit::client::{self, Answer, Error};
use gazer_testkit::site::{Fault, Reply, Site};
use http::Request;
use http_body_util::Full;

async fn get(site: &Site, path: &str) -> Result<Answer, Error> {
    client::send(site.address(), Request::get(path).body(Full::<Bytes>::default()).unwrap()).await
}

#[tokio::test]
async fn it_breaks_in_each_way_and_is_repaired() {
    let site = Site::http().await;
    assert_eq!(get(&site, "/").await.unwrap().status, 200);

    site.break_with(Fault::Status(503)).await;
    assert_eq!(get(&site, "/").await.unwrap().status, 503);
    site.break_with(Fault::Body("sold out".to_owned())).await;
    assert_eq!(get(&site, "/").await.unwrap().text(), "sold out");
    site.break_with(Fault::Stall).await;
    assert!(tokio::time::timeout(Duration::from_millis(100), get(&site, "/")).await.is_err());
    site.break_with(Fault::Refuse).await;
    assert!(matches!(get(&site, "/").await, Err(Error::Connect(..))));
    site.break_with(Fault::Slow(Duration::from_millis(1))).await;
    assert_eq!(get(&site, "/").await.unwrap().status, 200);

    site.break_with(Fault::Refuse).await;
    site.repair().await;
    assert!(get(&site, "/").await.unwrap().text().contains("All is well"));
    assert_eq!(site.hits().len(), 6);
}

#[tokio::test]
async fn it_serves_what_it_is_told() {
    let site = Site::http().await;
    site.serve("/health", Reply::json(&serde_json::json!({"ok": true})).with_header("x-region", "eu"));
    let answer = get(&site, "/health").await.unwrap();
    assert_eq!(answer.json()["ok"], true);
    assert_eq!(answer.header("x-region"), Some("eu"));
    let hit = site.record().wait_for(|hit| hit.path == "/health", Duration::from_secs(1)).await;
    assert_eq!(hit.method, "GET");
}

#[tokio::test]
async fn its_certificate_is_of_the_authority() {
    let ca = Ca::new("Site Root");
    let site = Site::https(&ca).await;
    assert!(site.url().starts_with("https://127.0.0.1:"));
    assert!(ca.pem().starts_with("-----BEGIN CERTIFICATE-----"));
    // TLS only: a plain request is not answered.
    assert!(get(&site, "/").await.is_err());
}
