//! What open pages are told: something of that team looks different now.

use tokio::sync::broadcast;

use crate::message::Changed;

/// Open pages that fall further behind than this load afresh.
const LIVE: usize = 256;

/// Tells the pages that are open at this process, and through the driver those of others. Nobody may be looking, and
/// that is no error.
#[derive(Debug, Clone)]
pub struct Live {
    here: broadcast::Sender<Changed>,
    away: broadcast::Sender<Changed>,
}

impl Default for Live {
    fn default() -> Self {
        Self { here: broadcast::channel(LIVE).0, away: broadcast::channel(LIVE).0 }
    }
}

impl Live {
    pub fn tell(&self, changed: Changed) {
        self.tell_here(changed);
        let _ = self.away.send(changed);
    }

    /// What another process told.
    pub(crate) fn tell_here(&self, changed: Changed) {
        let _ = self.here.send(changed);
    }

    pub fn listen(&self) -> broadcast::Receiver<Changed> {
        self.here.subscribe()
    }

    /// What this process tells.
    pub(crate) fn listen_away(&self) -> broadcast::Receiver<Changed> {
        self.away.subscribe()
    }
}
