//! Which team a person works in.

use gazer_domain::{TeamId, UserId};

use crate::{Result, Store};

impl Store {
    /// The team that a person signs in to: the one they joined first. `None` if they are in none.
    pub async fn team_of(&self, user: UserId) -> Result<Option<TeamId>> {
        todo!()
    }
}
