//! Places that all teams share, each held by what is under way in it. [`Shares`] decides who gets one.

use std::sync::{Mutex, MutexGuard};

use gazer_domain::TeamId;
use gazer_domain::share::{Place, Shares, Taken};
use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct Places {
    /// With each place the end that, dropped, tells its holder that it is lost.
    shares: Mutex<Shares<TeamId, oneshot::Sender<()>>>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    all: &'a Places,
    place: Place,
    taken_away: oneshot::Receiver<()>,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { shares: Mutex::new(Shares::new(most)) }
    }

    /// `None` where all are taken and no other team holds more than this one.
    pub(crate) fn take(&self, team: TeamId) -> Option<Held<'_>> {
        let (ours, taken_away) = oneshot::channel();
        let taken = self.lock().take(team, ours);
        let (Taken::Free(place) | Taken::Instead { place, .. }) = taken else { return None };
        Some(Held { all: self, place, taken_away })
    }

    fn lock(&self) -> MutexGuard<'_, Shares<TeamId, oneshot::Sender<()>>> {
        crate::lock(&self.shares)
    }
}

impl Held<'_> {
    /// Does this while the place is held; `None` if it was taken away before the end.
    pub(crate) async fn during<T>(mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = &mut self.taken_away => None,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.lock().give_back(self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_holds_most_is_broken_off_for_another_team() {
        let places = Places::new(4);
        let [noisy, victim] = [1, 2].map(TeamId::from_bits);
        let mut held: Vec<_> = (0..4).map(|_| places.take(noisy).expect("one is free")).collect();
        assert!(places.take(noisy).is_none());
        let newest = held.pop().expect("four are held").during(pending::<()>());
        let quiet = places.take(victim).expect("the other team holds more");
        assert_eq!(newest.await, None, "its place went to the other team");
        assert_eq!(quiet.during(ready(7)).await, Some(7));
        assert!(places.take(noisy).is_some(), "what ended is free again");
    }
}
