//! One region's sight, and what its operator is told of it.

use std::sync::Arc;

use gazer_domain::sight::{Episode, Fault, Sight, Turn};
use gazer_domain::{Region, Timestamp};

use super::Lookout;
use super::ledger::Ledger;
use crate::Parts;

#[derive(Debug)]
pub(super) struct Watch {
    region: Region,
    sight: Sight,
    ledger: Ledger,
}

impl Watch {
    pub(super) fn new(lookout: &Arc<Lookout>, region: Region) -> Self {
        Self { sight: Sight::default(), ledger: Ledger::new(lookout, region.clone()), region }
    }

    /// Somebody else may have looked meanwhile, and what is known is in rows, but for what the store did not take.
    pub(super) fn begin_anew(&mut self) {
        self.ledger.begin_anew();
        self.sight = Sight::default();
        self.sight.resume(self.ledger.lasting());
    }

    /// Takes up what an earlier process left, once the store answers.
    pub(super) async fn store_answers(&mut self, parts: &Parts, answers: bool, now: Timestamp) {
        if self.ledger.store_answers(parts, answers, now).await {
            self.sight.resume(self.ledger.lasting());
        }
    }

    /// What a look found. Whether that changed what is known.
    pub(super) fn fold(&mut self, now: Timestamp, found: Option<(Fault, String)>) -> bool {
        let Some(turn) = self.sight.fold(now, found) else { return false };
        let region = self.region.clone();
        match turn {
            Turn::Opened { at, fault, text } => {
                tracing::error!(%region, code = fault.as_str(), "impaired: {text}");
                self.ledger.open(Episode { region, fault, text, started: at, ended: None });
            }
            Turn::Closed { at } => {
                tracing::info!(%region, "no longer impaired");
                self.ledger.close(at);
            }
        }
        true
    }

    /// The region is no more, so nothing is wrong with it.
    pub(super) fn close(&mut self, now: Timestamp) {
        if self.sight.is_impaired() {
            self.sight = Sight::default();
            self.ledger.close(now);
        }
    }

    /// Everything that is to be told was told.
    pub(super) fn is_settled(&self) -> bool {
        self.ledger.is_empty()
    }

    pub(super) fn lasting(&self) -> Option<Fault> {
        self.ledger.lasting()
    }

    pub(super) const fn is_impaired(&self) -> bool {
        self.sight.is_impaired()
    }

    pub(super) const fn is_doubtful(&self) -> bool {
        self.sight.is_doubtful()
    }

    /// Writes what is not written and tells what is not told; answers how many messages were taken.
    pub(super) async fn work(&mut self, parts: &Parts) -> u64 {
        self.ledger.work(parts).await
    }
}
