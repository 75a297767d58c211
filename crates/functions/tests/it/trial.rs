//! What functions are tried with, from inside of the crate and from outside: a clock that stands, a store in memory, and
//! the parts of a process over them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gazer_bus::{Bus, Clock, Hold};
use gazer_channels::Channels;
use gazer_domain::Timestamp;
use gazer_functions::{Lookout, Parts};
use gazer_probes::{Config, Prober};
use gazer_store::{Location, Options, SealingKey, Store};
use gazer_testkit::now::now;

const DAY: Duration = Duration::from_secs(86_400);

/// Stands where it is put.
#[derive(Debug)]
pub(crate) struct Still(AtomicI64);

impl Still {
    pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(Self::START.millis()))
    }

    pub(crate) fn stand_at(&self, at: Timestamp) {
        self.0.store(at.millis(), Ordering::SeqCst);
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(length))
    }
}

pub(crate) async fn store() -> Store {
    store_on(Duration::ZERO).await
}

/// With slots on this grid.
pub(crate) async fn store_on(align: Duration) -> Store {
    let key = SealingKey::from_bytes([7; 32]);
    let options = Options { location: Location::Memory, key, public_url: "https://gazer.example".into(), align };
    Store::open(options).await.expect("a store in memory")
}

/// Of a process that is alone.
pub(crate) fn parts(store: Store, clock: Arc<dyn Clock>, lookout: Lookout) -> Parts {
    let prober = Prober::new(Config { witnesses: Vec::new(), ..Config::new(now) }).expect("a prober");
    Parts {
        store,
        bus: Bus::new(),
        clock,
        hold: Hold::alone(),
        channels: Arc::new(Channels::new(prober.clone(), None)),
        prober,
        random: |bytes| bytes.fill(1),
        retention: DAY,
        hands_on: false,
        lookout: Arc::new(lookout),
    }
}
