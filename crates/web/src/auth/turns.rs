//! The changes that one team makes to its monitors, one after the other.
//!
//! The database takes changes in the order in which they come, and the judge's are among them. So of each team at most
//! one waits there: a team that makes a thousand monitors at once waits for itself, here, and nobody waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gazer_domain::TeamId;
use tokio::sync::OwnedMutexGuard;

#[derive(Debug, Default)]
pub struct Turns {
    teams: Mutex<HashMap<TeamId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// The team's turn, which ends when the guard is dropped.
    pub async fn of(&self, team: TeamId) -> OwnedMutexGuard<()> {
        self.line(team).lock_owned().await
    }

    /// Lines in which nobody stands are forgotten before the table grows.
    fn line(&self, team: TeamId) -> Arc<tokio::sync::Mutex<()>> {
        let mut teams = self.teams.lock().unwrap_or_else(PoisonError::into_inner);
        if teams.len() == teams.capacity() {
            teams.retain(|_, line| Arc::strong_count(line) > 1);
        }
        Arc::clone(teams.entry(team).or_default())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_team_waits_for_itself_and_for_nobody_else() {
        let turns = Turns::default();
        let [noisy, quiet] = [1, 2].map(TeamId::from_bits);
        let first = turns.of(noisy).await;
        assert!(turns.of(noisy).now_or_never().is_none());
        assert!(turns.of(quiet).now_or_never().is_some());
        drop(first);
        assert!(turns.of(noisy).now_or_never().is_some());
        for team in 3..1_000 {
            turns.of(TeamId::from_bits(team)).await;
        }
        assert!(turns.teams.lock().unwrap().capacity() < 100, "who is gone takes no room");
    }
}
