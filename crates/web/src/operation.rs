//! `/healthz` and `/metrics`: for whoever operates the machine.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::{Problem, Web};

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
