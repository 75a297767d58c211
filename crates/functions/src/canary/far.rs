//! Regions whose probers are other processes: what these say of themselves, and what it means that they say nothing.

use std::collections::BTreeMap;

use gazer_domain::sight::{self, Fault, Look};
use gazer_domain::{Region, Timestamp};

use super::watch::Watch;
use super::{in_time, is_within};
use crate::Parts;

/// Looks that a prober may miss before it is held to be silent.
const MISSED: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Far {
    /// What each prober said last, and when.
    heard: BTreeMap<Region, BTreeMap<String, (Timestamp, Look)>>,
    watched: BTreeMap<Region, Watch>,
    /// Which regions there are.
    regions: Vec<Region>,
}

impl Far {
    pub(super) fn hear(&mut self, look: Look, now: Timestamp) {
        let probers = self.heard.entry(look.region.clone()).or_default();
        probers.insert(look.prober.clone(), (now, look));
    }

    pub(super) fn begin_anew(&mut self) {
        self.watched.values_mut().for_each(Watch::begin_anew);
    }

    /// What is wrong with the region of this process, where others probe from it. `began` is when this turn did: what
    /// was said before it was said to another process.
    pub(super) fn judge_home(&mut self, parts: &Parts, began: Timestamp, now: Timestamp) -> Option<(Fault, String)> {
        let home = &parts.lookout.region;
        if self.regions.contains(home) { self.judge(parts, home, began, now) } else { None }
    }

    /// A look at each region but our own. Answers how many turned.
    pub(super) async fn look(&mut self, parts: &Parts, took: bool, began: Timestamp, now: Timestamp) -> u64 {
        // One that took nothing just now would only be waited for once more.
        if took && let Ok(regions) = in_time(parts, parts.store.regions()).await {
            self.regions = regions.into_iter().map(|place| place.region).collect();
        }
        let home = &parts.lookout.region;
        for region in self.regions.iter().filter(|region| *region != home) {
            let fresh = || Watch::new(&parts.lookout, region.clone());
            self.watched.entry(region.clone()).or_insert_with(fresh);
        }
        let mut turned = 0;
        for (region, mut watch) in std::mem::take(&mut self.watched) {
            watch.store_answers(parts, took, now).await;
            if self.regions.contains(&region) {
                turned += u64::from(watch.fold(now, self.judge(parts, &region, began, now)));
            } else {
                watch.close(now);
                if watch.is_settled() {
                    parts.lookout.forget(&region);
                    continue;
                }
            }
            parts.lookout.note(&region, watch.is_impaired());
            self.watched.insert(region, watch);
        }
        turned
    }

    pub(super) async fn work(&mut self, parts: &Parts) -> u64 {
        let mut taken = 0;
        for watch in self.watched.values_mut() {
            taken += watch.work(parts).await;
        }
        taken
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.watched.values().any(Watch::is_doubtful)
    }

    fn judge(&mut self, parts: &Parts, region: &Region, began: Timestamp, now: Timestamp) -> Option<(Fault, String)> {
        let patience = parts.lookout.every * MISSED;
        let probers = self.heard.entry(region.clone()).or_default();
        probers.retain(|_, (at, _)| is_within(Some(*at), now, patience));
        let is_early = is_within(Some(began), now, patience);
        if probers.is_empty() && is_early {
            return None;
        }
        sight::judge_looks(probers.values().map(|(_, look)| look), patience)
    }
}
