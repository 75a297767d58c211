//! What a process is made of: production's parts over the simulated network, on the rows that the last one left.

use std::sync::Arc;
use std::time::Duration;

use gazer_bus::{Bus, Hold};
use gazer_channels::{Channels, Operator};
use gazer_domain::Region;
use gazer_domain::http::parse_url;
use gazer_functions::{Lookout, Parts};
use gazer_probes::Prober;
use gazer_store::{Location, Options, SealingKey, Store};

use super::network::{Network, WITNESS};
use super::time::{START, Time};
use super::{chance, receivers};

pub(crate) async fn store(align: Duration) -> Store {
    let key = SealingKey::from_bytes([7; 32]);
    let options = Options { location: Location::Memory, key, public_url: "https://gazer.test".into(), align };
    let store = Store::open(options).await.expect("a store in memory");
    store.region_add(&Region::local(), START).await.expect("a region");
    store
}

/// Its witnesses have no vote yet, and it knows of nothing that is not a row.
pub(crate) fn parts(time: &Time, network: &Network, store: &Store) -> Parts {
    let config = gazer_probes::Config {
        witnesses: vec![WITNESS.parse().expect("a witness")],
        ..gazer_probes::Config::new(|| START)
    };
    let prober = Prober::over(config, Arc::new(network.clone()), Arc::new(network.clone())).expect("a prober");
    let webhook = (parse_url(receivers::OPERATOR).expect("a URL"), vec![2; 24]);
    let operator = Operator { webhook: Some(webhook), ..Operator::default() };
    Parts {
        store: store.clone(),
        bus: Bus::new(),
        clock: Arc::new(time.clone()),
        prober: prober.clone(),
        channels: Arc::new(Channels::new(prober, None)),
        hold: Hold::alone(),
        random: chance::fill,
        retention: Duration::from_secs(86_400),
        hands_on: false,
        lookout: Arc::new(Lookout::new(Region::local(), Lookout::EVERY, operator)),
    }
}
