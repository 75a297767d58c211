//! A person with a browser: follows links and fills forms, and keeps the cookie.

use axum::body::Body;
use axum::http::{Request, header};
use url::form_urlencoded::Serializer;

use crate::app::{Answer, App};

pub(crate) struct Visitor<'a> {
    app: &'a App,
    cookie: String,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self::with(app, "")
    }

    /// Somebody who has signed in already.
    pub(crate) fn with(app: &'a App, cookie: &str) -> Self {
        Self { app, cookie: cookie.to_owned() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    /// A form that must be taken; answers where it leads.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        answer.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.app.send(request).await;
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        answer
    }
}
