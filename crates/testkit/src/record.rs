//! What arrived, in order, and a way to wait for more of it.

use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// An append-only list that wakes those who wait for it to grow.
#[derive(Debug)]
pub struct Record<T> {
    items: Mutex<Vec<T>>,
    length: watch::Sender<usize>,
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self { items: Mutex::default(), length: watch::Sender::new(0) }
    }
}

impl<T: Clone + Debug> Record<T> {
    pub fn push(&self, item: T) {
        let mut items = lock(&self.items);
        items.push(item);
        self.length.send_replace(items.len());
    }

    pub fn all(&self) -> Vec<T> {
        lock(&self.items).clone()
    }

    pub fn len(&self) -> usize {
        lock(&self.items).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what arrived so far.
    pub fn clear(&self) {
        lock(&self.items).clear();
    }

    /// The first item, arrived or yet to arrive, of which this holds.
    ///
    /// # Panics
    /// If there is none after this long; the message shows what did arrive.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&T) -> bool, patience: Duration) -> impl Future<Output = T> {
        let caller = std::panic::Location::caller();
        async move {
            match self.find(move |items| items.iter().find(|item| wanted(item)).cloned(), patience).await {
                Some(item) => item,
                None => panic!("{caller} waited {patience:?} in vain; what arrived: {:#?}", self.all()),
            }
        }
    }

    /// Everything, once this holds of it.
    ///
    /// # Panics
    /// If it does not hold after this long; the message shows what did arrive.
    #[track_caller]
    pub fn wait_until(&self, enough: impl Fn(&[T]) -> bool, patience: Duration) -> impl Future<Output = Vec<T>> {
        let caller = std::panic::Location::caller();
        async move {
            match self.find(move |items| enough(items).then(|| items.to_vec()), patience).await {
                Some(items) => items,
                None => panic!("{caller} waited {patience:?} in vain; what arrived: {:#?}", self.all()),
            }
        }
    }

    async fn find<R>(&self, look: impl Fn(&[T]) -> Option<R>, patience: Duration) -> Option<R> {
        // Subscribed before looking, so nothing slips between the look and the wait.
        let mut length = self.length.subscribe();
        let search = async {
            loop {
                length.borrow_and_update();
                let found = look(&lock(&self.items));
                if let Some(found) = found {
                    return found;
                }
                length.changed().await.expect("the sender is a field of self");
            }
        };
        tokio::time::timeout(patience, search).await.ok()
    }
}

/// A test that panicked with the lock held has failed already; the others may go on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
