//! What `/metrics` tells of the process, its functions and its bus: counts that others keep, read when somebody asks.
//! What the rows say is added by the web ([`gazer_web::operation`]).

use std::fmt;
use std::sync::Arc;

use gazer_bus::registry::Tally;
use gazer_bus::{Bus, Hold, Registry as Functions};
use gazer_domain::Timestamp;
use gazer_functions::Lookout;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// `started` is when this process did.
pub(crate) fn registry(
    functions: &Functions,
    bus: &Bus,
    planning: Option<(Hold, Arc<Lookout>)>,
    buried: Option<Buried>,
    started: Timestamp,
) -> Registry {
    // What is known of every process carries no prefix of ours, so that dashboards for all programs show it.
    let mut registry = Registry::default();
    gazer_web::operation::register_process(&mut registry, started);
    let own = registry.sub_registry_with_prefix("gazer");
    gazer_web::operation::register_build(own, env!("CARGO_PKG_VERSION"));
    let (functions, bus) = (functions.clone(), bus.clone());
    own.register_collector(Box::new(Counts { functions, bus, planning, buried }));
    registry
}

struct Counts {
    functions: Functions,
    bus: Bus,
    /// The turn of the clock, and what it says of our own sight.
    planning: Option<(Hold, Arc<Lookout>)>,
    buried: Option<Buried>,
}

/// How many messages the driver put aside.
pub(crate) type Buried = Box<dyn Fn() -> u64 + Send + Sync>;

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts").finish_non_exhaustive()
    }
}

/// A family per thing that is counted, so that its series can be added up: name, what it says, and which count it is.
const ITEMS: [(&str, &str, &str); 3] = [
    ("function_items_looked_at", "Items that runs of a function looked at.", "looked_at"),
    ("function_items_changed", "Items that runs of a function changed.", "changed"),
    ("function_items_skipped", "Items that runs of a function left as they were.", "skipped"),
];

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new(self.bus.dropped());
        let told = "Messages that found their queue full.";
        let told = encoder.encode_descriptor("bus_messages_dropped", told, None, dropped.metric_type())?;
        dropped.encode(told)?;

        if let Some(buried) = &self.buried {
            let buried = ConstCounter::new(buried());
            let told = "Messages of the bus that could not be read or were delivered in vain, and were put aside.";
            buried.encode(encoder.encode_descriptor("bus_messages_buried", told, None, buried.metric_type())?)?;
        }
        if let Some((hold, lookout)) = &self.planning {
            let held = ConstGauge::new(u64::from(hold.is_held()));
            let told = "1 while this process has the clock's turn: of those that share a database, one.";
            held.encode(encoder.encode_descriptor("clock_turn", told, None, held.metric_type())?)?;

            let told = "Whether Gazer itself is known not to see, or not to tell, as the process that plans says.";
            let kind = ConstGauge::new(0_u64).metric_type();
            let mut told = encoder.encode_descriptor("impaired", told, None, kind)?;
            for (region, is_impaired) in lookout.impaired() {
                let impaired = ConstGauge::new(u64::from(is_impaired && hold.is_held()));
                impaired.encode(told.encode_family(&[("region", region.as_str())])?)?;
            }
        }

        let counter = ConstCounter::new(0u64).metric_type();
        let mut told = encoder.encode_descriptor("function_runs", "Runs of a function by outcome.", None, counter)?;
        for (name, tally) in self.functions.tallies() {
            let failed = count(tally, "failures");
            for (outcome, runs) in [("ok", count(tally, "runs").saturating_sub(failed)), ("failed", failed)] {
                let labels = [("function", name), ("outcome", outcome)];
                ConstCounter::new(runs).encode(told.encode_family(&labels)?)?;
            }
        }
        for (family, said, what) in ITEMS {
            let mut told = encoder.encode_descriptor(family, said, None, counter)?;
            for (name, tally) in self.functions.tallies() {
                ConstCounter::new(count(tally, what)).encode(told.encode_family(&[("function", name)])?)?;
            }
        }
        Ok(())
    }
}

fn count(tally: &Tally, what: &str) -> u64 {
    tally.counts().iter().find(|(name, _)| *name == what).map_or(0, |(_, count)| *count)
}
