//! `/healthz` and `/metrics`: for whoever operates the machine.
//!
//! The composition root registers what its parts count, under the prefix `gazer`, and hands the registry over; nothing
//! is added later.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::{Problem, Web};

/// `gazer_build_info`, for a registry with the prefix `gazer`.
pub fn register_build(registry: &mut Registry, version: &'static str) {
    registry.register("build", "The program that runs", Info::new([("version", version)]));
}

pub(crate) fn router() -> Router<Web> {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}

/// Healthy when the store answers: without it nothing here is of use.
async fn healthz(State(web): State<Web>) -> Result<&'static str, Problem> {
    match web.store.owner_exists().await {
        Ok(_) => Ok("ok\n"),
        Err(err) => Err(Problem::unavailable(&err)),
    }
}

/// No series is labelled by monitor or team, so nothing of a tenant shows here.
async fn metrics(State(web): State<Web>) -> Result<impl IntoResponse, Problem> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &web.metrics).map_err(|err| Problem::internal(&err))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
