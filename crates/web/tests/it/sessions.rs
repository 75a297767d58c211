//! Signing in, and how long it lasts.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use gazer_domain::{TeamId, UserId};
use gazer_web::auth::password::{Refused, sign_in};
use gazer_web::auth::{Address, session};
use gazer_web::{Config, Web};

use crate::app::App;
use crate::people;

#[tokio::test]
async fn wrong_passwords_are_listened_to_five_times_and_an_unknown_name_as_often() {
    let app = App::new().await;
    people::teams(&app).await;
    let here = Address(Some("192.0.2.1".parse().unwrap()));
    for email in ["owner@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            let refused = sign_in(&app.web, here, email, "wrong horse".into()).await.unwrap();
            assert_eq!(refused, Err(Refused::Wrong));
        }
        let refused = sign_in(&app.web, here, email, "correct horse".into()).await.unwrap();
        assert!(matches!(refused, Err(Refused::Later(_))), "{refused:?}");
    }
    app.pass(Duration::from_secs(16 * 60));
    let user = sign_in(&app.web, here, " Owner@Example.com ", "correct horse".into()).await.unwrap().unwrap();
    assert_eq!(user.email, "owner@example.com");
}

#[tokio::test]
async fn a_session_ends_after_a_month() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let look = async || {
        let request = Request::builder().uri("/monitors").header(header::COOKIE, &teams.viewer.cookie);
        app.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(look().await, 200);
    app.pass(Duration::from_secs(29 * 24 * 3600));
    assert_eq!(look().await, 200);
    app.pass(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(look().await, 303);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_plain_http() {
    let app = App::new().await;
    let teams = people::teams(&app).await;
    let user = app.store().user_by_email("owner@example.com").await.unwrap().unwrap().id;
    let plain = cookie(&app.web, user, teams.owner.team).await;
    assert!(plain.starts_with("gazer_session=") && plain.contains("; HttpOnly; SameSite=Lax"), "{plain}");
    assert!(!plain.contains("Secure"), "{plain}");
    let public_url = "https://gazer.example".parse().unwrap();
    let config = Arc::new(Config { public_url, ..(*app.web.config).clone() });
    let secure = cookie(&Web { config, ..app.web.clone() }, user, teams.owner.team).await;
    assert!(secure.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{secure}");
}

async fn cookie(web: &Web, user: UserId, team: TeamId) -> String {
    session::begin(web, user, team).await.unwrap().0.to_str().unwrap().to_owned()
}
