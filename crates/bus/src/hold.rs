//! The turn of the clock's functions: of the processes that share a database, one has it.
//!
//! It is a lease, renewed well before it runs out, and taken over by another process once it did. Losing it stops the
//! clock's functions here. While the database does not answer nobody can take it, so whoever has it goes on; that two
//! have it is possible for a moment, and harmless: a slot that is planned twice is folded once, and a claim is a row.
//! A process that was stopped for a while finds that its turn is stale before it plans anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::function::Failure;

/// How long a lease lasts that is not renewed. With the pause before somebody asks, and the patience with the database,
/// it is how long a dead holder is missed: ten seconds at most.
pub const LENGTH: Duration = Duration::from_secs(6);
const PAUSE: Duration = Duration::from_millis(1_500);
/// Pause and patience together are less than the length, twice over where the database is quick.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the lease is kept.
#[async_trait::async_trait]
pub trait Lease: std::fmt::Debug + Send + Sync {
    /// Takes or prolongs it. Its epoch, or `None` while it is somebody else's.
    async fn renew(&self) -> Result<Option<i64>, Failure>;

    /// Lets somebody else have it at once.
    async fn release(&self) -> Result<(), Failure>;

    /// Lets its holder know that we wait for it, where it is handed on from one to the next.
    async fn want(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether somebody waits for it while it is ours.
    async fn is_wanted(&self) -> Result<bool, Failure> {
        Ok(false)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    epoch: i64,
    /// When the lease was last asked for; `None` where it never runs out.
    asked: Option<Instant>,
}

/// Whether it is our turn; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hold(Arc<watch::Sender<Option<Turn>>>);

impl Hold {
    /// Where there is nobody to share with, it is always our turn.
    pub fn alone() -> Self {
        Self(Arc::new(watch::Sender::new(Some(Turn { epoch: 0, asked: None }))))
    }

    /// Not ours until its lease is kept.
    pub fn nobodys() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The epoch of our turn, while it is ours.
    pub fn epoch(&self) -> Option<i64> {
        let turn = (*self.0.borrow())?;
        let stale = turn.asked.is_some_and(|asked| asked.elapsed() >= LENGTH);
        (!stale).then_some(turn.epoch)
    }

    /// Begins to keep its lease, for as long as the keeper is there.
    pub fn keep(&self, lease: Arc<dyn Lease>) -> Keeper {
        let task = tokio::spawn(ask(Arc::clone(&lease), self.clone()));
        Keeper { hold: self.clone(), lease, task }
    }

    pub fn is_held(&self) -> bool {
        self.epoch().is_some()
    }

    pub async fn gained(&self) {
        let mut turns = self.0.subscribe();
        // The sender lives as long as we do.
        let _ = turns.wait_for(|turn| turn.is_some() && self.is_held()).await;
    }

    pub async fn lost(&self) {
        let mut turns = self.0.subscribe();
        let _ = turns.wait_for(Option::is_none).await;
    }
}

/// Asks for the lease again and again. Ends with [`Keeper::release`], or with its runtime.
#[derive(Debug)]
pub struct Keeper {
    hold: Hold,
    lease: Arc<dyn Lease>,
    task: JoinHandle<()>,
}

/// Begins to keep a lease. Whether it is ours is known once the database was asked.
pub fn keep(lease: Arc<dyn Lease>) -> (Hold, Keeper) {
    let hold = Hold::nobodys();
    let keeper = hold.keep(lease);
    (hold, keeper)
}

impl Keeper {
    /// Whoever waits for it need not wait until it runs out.
    pub async fn release(mut self) {
        self.task.abort();
        // Nothing is said of the turn after this.
        let _ = (&mut self.task).await;
        self.hold.0.send_replace(None);
        let _ = timeout(PATIENCE, self.lease.release()).await;
    }
}

async fn ask(lease: Arc<dyn Lease>, hold: Hold) {
    loop {
        let asked = Instant::now();
        let answer = timeout(PATIENCE, lease.renew()).await;
        let before = *hold.0.borrow();
        let after = match answer {
            Ok(Ok(epoch)) => epoch.map(|epoch| Turn { epoch, asked: Some(asked) }),
            // Nobody else can have it from a database that does not answer.
            Ok(Err(_)) | Err(_) => before.map(|turn| Turn { asked: Some(asked), ..turn }),
        };
        hold.0.send_replace(after);
        match (before.map(|turn| turn.epoch), after.map(|turn| turn.epoch)) {
            (before, Some(epoch)) if before != Some(epoch) => {
                tracing::info!(epoch, "this process has the clock's turn");
            }
            (Some(_), None) => tracing::warn!("another process has the clock's turn now"),
            _ => {}
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers what it is told to, one after the other, and the last for ever.
    #[derive(Debug)]
    struct Told(Mutex<Vec<Result<Option<i64>, ()>>>);

    #[async_trait::async_trait]
    impl Lease for Told {
        async fn renew(&self) -> Result<Option<i64>, Failure> {
            let mut answers = self.0.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
            answer.map_err(|()| Failure::new("renew", std::fmt::Error))
        }

        async fn release(&self) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn kept(answers: &[Result<Option<i64>, ()>]) -> Hold {
        keep(Arc::new(Told(Mutex::new(answers.to_vec())))).0
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_gained_kept_through_silence_and_lost_to_another() {
        let hold = kept(&[Ok(None), Ok(Some(4)), Err(()), Err(()), Err(()), Err(()), Err(()), Ok(None)]);
        assert_eq!(hold.epoch(), None, "nobody was asked yet");
        hold.gained().await;
        assert_eq!(hold.epoch(), Some(4));
        tokio::time::sleep(LENGTH + PAUSE).await;
        assert_eq!(hold.epoch(), Some(4), "the database is silent to everybody");
        hold.lost().await;
        assert_eq!(hold.epoch(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_stopped_finds_its_turn_stale() {
        let hold = kept(&[Ok(Some(1))]);
        hold.gained().await;
        // Time passes while nothing of this process runs.
        tokio::time::advance(LENGTH).await;
        assert_eq!(hold.epoch(), None);
        hold.gained().await;
        assert_eq!(hold.epoch(), Some(1), "it asked again, and it still was its turn");
    }

    /// Whoever keeps the same hold again later must not think that it still is its turn.
    #[tokio::test(start_paused = true)]
    async fn a_turn_that_was_released_is_not_ours() {
        let (hold, keeper) = keep(Arc::new(Told(Mutex::new(vec![Ok(Some(1))]))));
        hold.gained().await;
        keeper.release().await;
        assert_eq!(hold.epoch(), None);
        let _keeper = hold.keep(Arc::new(Told(Mutex::new(vec![Ok(None), Ok(Some(3))]))));
        hold.gained().await;
        assert_eq!(hold.epoch(), Some(3));
    }

    #[tokio::test]
    async fn whoever_is_alone_need_not_ask() {
        assert_eq!(Hold::alone().epoch(), Some(0));
    }
}
