//! `/healthz` and `/metrics`: for whoever operates the machine.
//!
//! The composition root registers what its parts count, under the prefix `gazer`, and hands the registry over. To that
//! each scrape adds what the rows say at that moment.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use gazer_domain::Timestamp;
use gazer_store::{Installation, Totals};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::{Problem, Web};

mod process;

/// `gazer_build_info`, for a registry with the prefix `gazer`.
pub fn register_build(registry: &mut Registry, version: &'static str) {
    registry.register("build", "The program that runs", Info::new([("version", version)]));
}

/// The `process_…` families, for a registry without a prefix.
pub fn register_process(registry: &mut Registry, started: Timestamp) {
    registry.register_collector(Box::new(process::Process { started }));
}

pub(crate) fn router() -> Router<Web> {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}

/// Healthy when the store answers: without it nothing here is of use.
async fn healthz(extract::State(web): extract::State<Web>) -> Result<&'static str, Problem> {
    match web.store.owner_exists().await {
        Ok(_) => Ok("ok\n"),
        Err(err) => Err(Problem::unavailable(&err)),
    }
}

/// No series is labelled by monitor or team, so nothing of a tenant shows here. A store that does not answer takes its own
/// counts away and nothing else: what the process says of itself is most wanted then.
async fn metrics(extract::State(web): extract::State<Web>) -> Result<impl IntoResponse, Problem> {
    let counts = web.store.installation(web.now()).await;
    if let Err(err) = &counts {
        tracing::error!(error = err as &dyn std::error::Error, "the store does not count");
    }
    let mut stored = Registry::with_prefix("gazer");
    stored.register_collector(Box::new(Stored(counts.ok())));
    exposition(&[&web.metrics, &stored])
}

fn exposition(registries: &[&Registry]) -> Result<impl IntoResponse + use<>, Problem> {
    let mut text = String::new();
    let encoded = registries.iter().try_for_each(|registry| encode_registry(&mut text, registry));
    encoded.and_then(|()| encode_eof(&mut text)).map_err(|err| Problem::internal(&err))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

/// Of a process without pages: whether it runs, and what it counts.
pub fn plain_router(metrics: Arc<Registry>) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/metrics", get(async move || exposition(&[&metrics])))
}

/// What the rows say at this moment; `None` if the store does not answer.
#[derive(Debug)]
struct Stored(Option<Installation>);

impl Collector for Stored {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let up = [("", u64::from(self.0.is_some()))];
        gauges(&mut encoder, "store_up", "Whether the store answered this scrape.", "", &up)?;
        let Some(counts) = self.0 else { return Ok(()) };
        let Totals { up, slow, regional, down, unknown, paused } = counts.monitors;
        let monitors = [
            ("up", up),
            ("slow", slow),
            ("regional", regional),
            ("down", down),
            ("unknown", unknown),
            ("paused", paused),
        ];
        gauges(&mut encoder, "monitors", "Monitors of all teams by status.", "status", &monitors)?;
        let open = [("", counts.open_incidents)];
        gauges(&mut encoder, "open_incidents", "Incidents that last.", "", &open)?;
        let said =
            "Messages not delivered: waiting, being sent (leased), given up in incidents of the last 7 days (dead).";
        let deliveries = [
            ("waiting", counts.deliveries_waiting),
            ("leased", counts.deliveries_leased),
            ("dead", counts.deliveries_dead),
        ];
        gauges(&mut encoder, "undelivered_messages", said, "state", &deliveries)
    }
}

/// One family; a family of one series has no label.
fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    said: &str,
    label: &str,
    series: &[(&str, u64)],
) -> Result<(), fmt::Error> {
    let mut told = encoder.encode_descriptor(name, said, None, MetricType::Gauge)?;
    for (value, count) in series {
        let gauge = ConstGauge::new(*count);
        if label.is_empty() {
            return gauge.encode(told);
        }
        gauge.encode(told.encode_family(&[(label, *value)])?)?;
    }
    Ok(())
}
