//! Pages and the HTTP API: what people and programs see of Gazer.
//!
//! A request meets, in this order: the security headers that every answer gets, a deadline, a bound on its body, and
//! then one of three routers. `api` speaks JSON to programs that carry a token; `pages` speaks HTML to people who carry
//! a session cookie, behind a guard against cross-site requests; `operation` answers `/healthz` and `/metrics`.
//!
//! Authority comes only from extractors (`auth::Member`, `Admin`, `Owner`): a handler that takes none of them is open to
//! strangers, and `tests/it/access.golden` lists who reaches what. The team always comes from the session or the token,
//! never from the request, and a foreign id answers exactly as one that never was.
//!
//! Whatever changes a row rings a bell afterwards ([`web::Wake`], [`web::Changed`]). Bells make things fast; nothing
//! depends on them, because the functions behind them poll too.
//!
//! Absent on purpose: SQL, probing, sending. They are behind the store, and behind functions that this crate never sees.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for"))]

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::timeout::TimeoutLayer;

pub mod api;
mod assets;
pub mod auth;
pub mod error;
mod headers;
pub mod operation;
pub mod pages;
pub mod serve;
mod svg;
mod ui;
pub mod web;

pub use error::Problem;
pub use web::{Changed, Config, Live, Wake, Web};

/// A monitor with every bound used up is about 160 KiB; more is refused with 413.
const LARGEST_REQUEST: usize = 256 * 1024;

/// Longer than the longest wait of any handler ("check now": 30 s). It ends waiting for an answer, not a live stream.
const LONGEST_ANSWER: std::time::Duration = std::time::Duration::from_secs(40);

/// The whole site. The same router serves production and the tests.
pub fn router(web: Web) -> Router {
    let pages = pages::router().layer(csrf(&web));
    Router::new()
        .merge(pages)
        .merge(operation::router())
        .nest("/api/v1", api::router())
        .fallback(async || pages::problem(&Problem::not_found()))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONGEST_ANSWER))
        // Its default predicate leaves `text/event-stream` alone, so live pages are not held back in a buffer.
        .layer(CompressionLayer::new())
        .layer(axum::middleware::map_response_with_state(web.clone(), headers::strict))
        .with_state(web)
}

/// A browser says where a request comes from (`Sec-Fetch-Site`, `Origin`); one from another site changes nothing here.
/// The API needs no such guard: its authority is a header that no other site can make a browser send.
fn csrf(web: &Web) -> CsrfLayer<fn(ProtectionError) -> Response> {
    // Behind a proxy that rewrites `Host`, the public origin is the one that browsers name.
    let own = web.config.public_url.origin().ascii_serialization();
    let guard = CsrfLayer::new().add_trusted_origin(own).unwrap_or_default();
    guard.with_rejection_response(|_| {
        let detail = "This came from another site, or from a page that was opened under another address.";
        pages::problem(&Problem::new(StatusCode::FORBIDDEN, detail))
    })
}
