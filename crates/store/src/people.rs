//! Teams, users, sessions, tokens and the settings of the installation.

use gazer_domain::access::Role;
use gazer_domain::{TeamId, Timestamp, TokenId, UserId};

use crate::{Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub password_hash: String,
}

/// Who acts, and for which team: by a session or by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: Option<UserId>,
    pub token: Option<TokenId>,
    /// The e-mail address, or the name of the token.
    pub who: String,
    pub team: TeamId,
    pub team_name: String,
    pub role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub role: Role,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
}

impl Store {
    /// Whether the first-run set-up is over.
    pub async fn owner_exists(&self) -> Result<bool> {
        todo!()
    }

    /// The first account and its team, in one transaction. False if any user exists already.
    pub async fn owner_create(
        &self,
        user: UserId,
        email: &str,
        password_hash: &str,
        team: TeamId,
        team_name: &str,
        now: Timestamp,
    ) -> Result<bool> {
        todo!()
    }

    /// False if the e-mail address is taken.
    pub async fn user_create(&self, user: UserId, email: &str, password_hash: &str, now: Timestamp) -> Result<bool> {
        todo!()
    }

    /// Addresses are compared without case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        todo!()
    }

    /// Also ends the user's sessions. False if there is no such user.
    pub async fn user_set_password(&self, user: UserId, password_hash: &str) -> Result<bool> {
        todo!()
    }

    pub async fn team_create(&self, team: TeamId, name: &str, now: Timestamp) -> Result<()> {
        todo!()
    }

    pub async fn team_list(&self) -> Result<Vec<(TeamId, String)>> {
        todo!()
    }

    /// Adds a member, or changes the role of one.
    pub async fn member_add(&self, team: TeamId, user: UserId, role: Role, now: Timestamp) -> Result<()> {
        todo!()
    }

    /// `hash` is of the random token that only the browser has.
    pub async fn session_create(
        &self,
        hash: [u8; 32],
        user: UserId,
        team: TeamId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<()> {
        todo!()
    }

    /// `None` if it is unknown or expired, or if its user is no longer a member.
    pub async fn session_find(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Principal>> {
        todo!()
    }

    pub async fn session_end(&self, hash: [u8; 32]) -> Result<()> {
        todo!()
    }

    pub async fn token_create(&self, team: TeamId, token: &Token, hash: [u8; 32]) -> Result<()> {
        todo!()
    }

    /// Notes the use, at most once a minute.
    pub async fn token_find(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Principal>> {
        todo!()
    }

    pub async fn token_list(&self, team: TeamId) -> Result<Vec<Token>> {
        todo!()
    }

    pub async fn token_delete(&self, team: TeamId, token: TokenId) -> Result<bool> {
        todo!()
    }

    /// Settings of the installation are sealed.
    pub async fn setting_get(&self, name: &str) -> Result<Option<String>> {
        todo!()
    }

    pub async fn setting_set(&self, name: &str, value: &str) -> Result<()> {
        todo!()
    }
}
