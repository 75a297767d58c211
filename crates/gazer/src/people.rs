//! Accounts that are made without a browser: the owner that the environment names, those of further teams, and the
//! demo's.

use std::fmt;

use gazer_domain::channel::Target;
use gazer_domain::{Invalid, TeamId, Timestamp, UserId};
use gazer_store::Store;
use gazer_web::auth::password;

use crate::chance;

/// What the first team is called until somebody gives it a name.
const TEAM: &str = "My team";

/// An e-mail address and a password, both fit to sign in with.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.email)
    }
}

impl Account {
    pub(crate) fn new(email: &str, password: String) -> Result<Self, Invalid> {
        let email = email.trim().to_owned();
        let reachable = Target::Email { to: vec![email.clone()] }.validate();
        reachable.map_err(|invalid| Invalid::new("email", invalid.message))?;
        password::validate(&password)?;
        Ok(Self { email, password })
    }

    /// Makes it the owner. `None` if somebody is already: then nothing changes, whatever the environment says.
    pub(crate) async fn own(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<(UserId, TeamId)>, gazer_store::Error> {
        let (user, team) = (UserId::new(now, chance::bytes()), TeamId::new(now, chance::bytes()));
        let hash = hash(&self.password);
        let made = store.owner_create(user, &self.email, &hash, team, TEAM, now).await?;
        Ok(made.then_some((user, team)))
    }

    /// Makes it the owner of a new team. False if somebody signs in with the address already: then nothing changes.
    pub(crate) async fn found(&self, store: &Store, team: &str, now: Timestamp) -> Result<bool, gazer_store::Error> {
        let (user, id) = (UserId::new(now, chance::bytes()), TeamId::new(now, chance::bytes()));
        store.team_found(user, &self.email, &hash(&self.password), id, team, now).await
    }
}

pub(crate) fn hash(password: &str) -> String {
    password::hash_blocking(password, chance::bytes())
}
