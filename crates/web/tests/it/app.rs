//! The site under test: production router, fresh SQLite store, a clock that moves when told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use gazer_domain::assertion::{Assertion, Op};
use gazer_domain::monitor::Spec;
use gazer_domain::observation::Observation;
use gazer_domain::{Invalid, Region, Timestamp};
use gazer_store::{Location, Options, SealingKey, Settled, Store};
use gazer_testkit::sample::well;
use gazer_web::{Config, Wake, Web, web};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt;

const START: i64 = 1_795_000_000_000;

pub(crate) struct App {
    pub(crate) web: Web,
    pub(crate) clock: Arc<AtomicI64>,
    router: Router,
    _dir: tempfile::TempDir,
}

/// One answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl App {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            location: Location::Sqlite(dir.path().to_owned()),
            key: SealingKey::from_bytes([7; 32]),
            public_url: "http://gazer.example".into(),
            align: Duration::ZERO,
        };
        let store = Store::open(options).await.unwrap();
        store.region_add(&Region::local(), Timestamp::from_millis(START)).await.unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let web = Web {
            store: store.clone(),
            config: Arc::new(Config {
                streams: true,
                public_url: "http://gazer.example".parse().unwrap(),
                mail: true,
                retention: Duration::from_secs(7 * 24 * 3600),
                version: "0.0.0-test",
            }),
            clock: {
                let clock = Arc::clone(&clock);
                Arc::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)))
            },
            random: seeded,
            live: gazer_bus::Live::default(),
            wake: stand_in(store, Arc::clone(&clock)),
            compile: Arc::new(compile),
            reach: Arc::new(reach),
            metrics: Arc::new(metrics()),
            doors: Arc::default(),
        };
        Self { router: gazer_web::router(web.clone()), web, clock, _dir: dir }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.web.store
    }

    pub(crate) fn pass(&self, length: Duration) {
        self.clock.fetch_add(length.as_millis() as i64, Ordering::Relaxed);
    }

    /// As a program with that token.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let streams = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        // A live stream has no end to wait for.
        let bytes = if streams { bytes::Bytes::new() } else { body.collect().await.unwrap().to_bytes() };
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// The field that a problem names.
    #[track_caller]
    pub(crate) fn field(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text);
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["field"].as_str().unwrap_or_default().to_owned()
    }
}

fn metrics() -> Registry {
    let mut registry = Registry::with_prefix("gazer");
    gazer_web::operation::register_build(&mut registry, "0.0.0-test");
    registry
}

/// Never twice the same, and the same in every run.
fn seeded(bytes: &mut [u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    for chunk in bytes.chunks_mut(8) {
        let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
    }
}

/// As strict as the prober's compiler where the tests look: an open parenthesis is no pattern.
fn compile(spec: &Spec) -> Result<(), Invalid> {
    let Spec::Http(http) = spec;
    for (i, assertion) in http.assertions.iter().enumerate() {
        if let Assertion::Body { op: Op::Matches, value } = assertion
            && value == "("
        {
            return Err(Invalid::new(format!("http.assertions[{i}].value"), "is not a pattern"));
        }
    }
    Ok(())
}

/// As strict as the guard where the tests look: one address is closed.
fn reach(url: &url::Url) -> Result<(), String> {
    if url.host_str() == Some("169.254.169.254") { Err("belongs to the cloud".into()) } else { Ok(()) }
}

/// Does what `plan` and `deliver` do when their bells ring: a good check, and a delivered message.
fn stand_in(store: Store, clock: Arc<AtomicI64>) -> Arc<dyn Fn(Wake) + Send + Sync> {
    Arc::new(move |wake| {
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        tokio::spawn(async move {
            let now = Timestamp::from_millis(clock.load(Ordering::Relaxed));
            match wake {
                Wake::Plan => serve_requests(&store, now).await,
                Wake::Deliver => deliver(&store, now).await,
            }
        });
    })
}

async fn serve_requests(store: &Store, now: Timestamp) {
    for (request, monitor) in store.requests_claim(now).await.unwrap() {
        let seen = Observation { took: Duration::from_millis(12), ..well(monitor, now) };
        let mut tx = store.begin().await.unwrap();
        tx.request_settle(request, &Region::local(), &seen).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn deliver(store: &Store, now: Timestamp) {
    for claimed in store.deliveries_claim(now, Duration::from_secs(30), 100).await.unwrap() {
        let settled = Settled::Delivered { receipt: "200 OK".into() };
        store.deliveries_settle(&[claimed.came_to(settled)], now).await.unwrap();
    }
}

/// The production source is used by nobody else here, so look that it fills.
#[test]
fn the_real_randomness_fills_its_bytes() {
    let mut bytes = [0; 32];
    web::random(&mut bytes);
    assert_ne!(bytes, [0; 32]);
}
