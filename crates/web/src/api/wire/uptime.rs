//! How much of the last day, week and month a monitor was up.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::period::Period;
use serde::Serialize;
use utoipa::ToSchema;

use super::Span;
use crate::ui::watched::watched;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far back the figures look, so what is to be read of the store.
pub(crate) const LONGEST: Duration = DAY.saturating_mul(30);

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Uptime {
    #[serde(rename = "24h")]
    day: Figure,
    #[serde(rename = "7d")]
    week: Figure,
    #[serde(rename = "30d")]
    month: Figure,
}

/// up / (up + down); slow counts as up, and paused time is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
struct Figure {
    /// Null while nothing is known.
    #[schema(required)]
    ratio: Option<f64>,
    /// If all unknown time had been down.
    #[schema(required)]
    lower: Option<f64>,
    /// If all unknown time had been up.
    #[schema(required)]
    upper: Option<f64>,
    /// How much of the window it was watched: not before it was made, nor while it was paused.
    watched: Span,
}

impl Uptime {
    pub(crate) fn of(periods: &[Period], now: Timestamp) -> Self {
        let over = |window: Duration| {
            let uptime = gazer_domain::uptime::Uptime::of(periods, now - window, now);
            let bounds = uptime.bounds();
            Figure {
                ratio: uptime.ratio(),
                lower: bounds.map(|(low, _)| low),
                upper: bounds.map(|(_, high)| high),
                watched: Span(watched(&uptime)),
            }
        };
        Self { day: over(DAY), week: over(DAY * 7), month: over(LONGEST) }
    }
}
