//! Carries what a function publishes to the topics of others, while it runs and before its invocation ends.

use std::sync::Arc;
use std::time::Duration;

use gazer::issues::{Heard, Speaker};
use gazer_bus::outbox::{Fate, Outbox};
use gazer_bus::parcel::{Packer, Size};
use gazer_bus::{Bus, Topic};
use tokio::sync::watch;

use crate::sns::Sns;

/// What SNS bills as one request is 64 KiB; a batch of checks costs its slowest, so it is not large.
pub(crate) const SIZE: Size = Size { bytes: 60 * 1024, checks: 50 };
/// Messages that are taken along at a time.
const COMPANY: usize = 200;
/// Good news waits for the end of its invocation, but not for a check that takes ten seconds.
const LINGER: Duration = Duration::from_secs(1);

/// Carries on all topics that have somebody behind them.
#[derive(Debug)]
pub(crate) struct Carrying {
    bus: Bus,
    /// Whether the invocation waits for what is still here.
    ending: watch::Sender<bool>,
    /// What went wrong in this process, and who says so.
    heard: Heard,
    speaker: Speaker,
}

impl Carrying {
    pub(crate) fn start(bus: &Bus, packer: &Arc<Packer>, sns: &Sns, heard: Heard, speaker: Speaker) -> Self {
        let (ending, ends) = watch::channel(false);
        for topic in Topic::ALL {
            let Some(outbox) = bus.outbox(topic) else { continue };
            tokio::spawn(carry(topic, outbox, Arc::clone(packer), sns.clone(), ends.clone()));
        }
        Self { bus: bus.clone(), ending, heard, speaker }
    }

    /// Until everything that was published is on its way, and what went wrong with it.
    pub(crate) async fn end(&self) {
        self.heard.publish(&self.bus, &self.speaker);
        self.ending.send_replace(true);
        self.bus.all_carried().await;
        self.ending.send_replace(false);
    }
}

async fn carry(topic: Topic, outbox: Outbox, packer: Arc<Packer>, sns: Sns, mut ends: watch::Receiver<bool>) {
    loop {
        let first = outbox.first().await;
        let patience = async {
            let ended = ends.wait_for(|ends| *ends);
            let _ = tokio::time::timeout(LINGER, ended).await;
        };
        let parcels = outbox.pack(first, &packer, COMPANY, patience).await;
        let arrived = sns.publish(topic, &parcels).await;
        for (parcel, arrived) in parcels.iter().zip(arrived) {
            // SNS invokes a function for each at once.
            outbox.carried(parcel.messages, if arrived { Fate::Begun } else { Fate::Lost });
        }
    }
}
