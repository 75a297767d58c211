//! Which team a person works in.

use gazer_domain::{TeamId, UserId};

use crate::sql::args;
use crate::{Result, Store};

impl Store {
    /// The team that a person signs in to: the one they joined first. `None` if they are in none.
    pub async fn team_of(&self, user: UserId) -> Result<Option<TeamId>> {
        let sql = "select t.id from members m
            join teams t on t.key = m.team
            join users u on u.key = m.member
            where u.id = $1
            order by m.created, t.key
            limit 1";
        self.row(sql, args![user]).await?.map(|row| row.id("id")).transpose()
    }
}
