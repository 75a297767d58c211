//! What `/metrics` tells of the functions and of the bus: counts that the registry keeps, read when somebody asks.

use std::fmt;

use gazer_bus::{Bus, Registry as Functions};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

pub(crate) fn registry(functions: &Functions, bus: &Bus) -> Registry {
    let mut registry = Registry::with_prefix("gazer");
    gazer_web::operation::register_build(&mut registry, env!("CARGO_PKG_VERSION"));
    registry.register_collector(Box::new(Counts { functions: functions.clone(), bus: bus.clone() }));
    registry
}

#[derive(Debug)]
struct Counts {
    functions: Functions,
    bus: Bus,
}

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new(self.bus.dropped());
        let told = encoder.encode_descriptor(
            "messages_dropped",
            "Messages that found their queue full",
            None,
            dropped.metric_type(),
        )?;
        dropped.encode(told)?;
        let counter = ConstCounter::new(0u64).metric_type();
        let mut told = encoder.encode_descriptor("function", "What the runs of a function came to", None, counter)?;
        for (name, tally) in self.functions.tallies() {
            for (what, count) in tally.counts() {
                let labels = [("function", name), ("count", what)];
                ConstCounter::new(count).encode(told.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
