//! Teams, users, sessions, tokens and the settings of the installation.

use std::time::Duration;

use gazer_domain::access::Role;
use gazer_domain::{TeamId, Timestamp, TokenId, UserId};

use crate::seal::Cell;
use crate::sql::{Conn, Row, args};
use crate::{Result, Store};

/// Writing down every use of a busy token would be a write per request.
const LAST_USED_EVERY: Duration = Duration::from_secs(60);

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
    /// Owns the first team, and so the installation.
    pub is_operator: bool,
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
        let row = self.row("select count(*) as users from users", args![]).await?;
        row.map_or(Ok(false), |row| row.flag("users"))
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
        let mut conn = self.write().await?;
        // PostgreSQL: two owners at once wait for each other here. SQLite has one writer anyway.
        conn.run("update plan set seq = seq", args![]).await?;
        let row = conn.row("select count(*) as users from users", args![]).await?;
        if row.map_or(Ok(false), |row| row.flag("users"))? {
            return Ok(false);
        }
        let made = found(&mut conn, (user, email, password_hash), (team, team_name), now).await?;
        conn.commit().await?;
        Ok(made)
    }

    /// One more team with the account that owns it, in one transaction. False if the address is taken.
    pub async fn team_found(
        &self,
        user: UserId,
        email: &str,
        password_hash: &str,
        team: TeamId,
        team_name: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let mut conn = self.write().await?;
        let made = found(&mut conn, (user, email, password_hash), (team, team_name), now).await?;
        conn.commit().await?;
        Ok(made)
    }

    /// False if the e-mail address is taken.
    pub async fn user_create(&self, user: UserId, email: &str, password_hash: &str, now: Timestamp) -> Result<bool> {
        let mut conn = self.write().await?;
        let created = user_insert(&mut conn, user, email, password_hash, now).await?;
        conn.commit().await?;
        Ok(created)
    }

    /// Addresses are compared without case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let sql = "select id, email, password_hash from users where email = $1";
        let Some(row) = self.row(sql, args![email.trim().to_lowercase()]).await? else { return Ok(None) };
        Ok(Some(User { id: row.id("id")?, email: row.text("email")?, password_hash: row.text("password_hash")? }))
    }

    /// Also ends the user's sessions. False if there is no such user.
    pub async fn user_set_password(&self, user: UserId, password_hash: &str) -> Result<bool> {
        let mut conn = self.write().await?;
        let sql = "update users set password_hash = $2 where id = $1";
        let known = conn.run(sql, args![user, password_hash]).await? == 1;
        let sql = "delete from sessions where member = (select key from users where id = $1)";
        conn.run(sql, args![user]).await?;
        conn.commit().await?;
        Ok(known)
    }

    pub async fn team_create(&self, team: TeamId, name: &str, now: Timestamp) -> Result<()> {
        self.run(TEAM_CREATE, args![team, name, now]).await.map(drop)
    }

    pub async fn team_list(&self) -> Result<Vec<(TeamId, String)>> {
        let rows = self.rows("select id, name from teams order by key", args![]).await?;
        rows.iter().map(|row| Ok((row.id("id")?, row.text("name")?))).collect()
    }

    /// Adds a member, or changes the role of one.
    pub async fn member_add(&self, team: TeamId, user: UserId, role: Role, now: Timestamp) -> Result<()> {
        self.run(MEMBER_ADD, args![team, user, role.as_str(), now]).await.map(drop)
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
        let sql = "insert into sessions (hash, member, team, created, expires) values
            ($1, (select key from users where id = $2), (select key from teams where id = $3), $4, $5)";
        self.run(sql, args![hash, user, team, now, expires]).await.map(drop)
    }

    /// `None` if it is unknown or expired, or if its user is no longer a member.
    pub async fn session_find(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Principal>> {
        let sql = "select u.id as user_id, u.email as who, t.id as team, t.name as team_name, m.role,
                t.key as team_key, (select min(key) from teams) as first_team
            from sessions s
            join users u on u.key = s.member
            join teams t on t.key = s.team
            join members m on m.team = s.team and m.member = s.member
            where s.hash = $1 and s.expires > $2";
        let Some(row) = self.row(sql, args![hash, now]).await? else { return Ok(None) };
        let user = row.id("user_id")?;
        principal(&row, Some(user), None).map(Some)
    }

    pub async fn session_end(&self, hash: [u8; 32]) -> Result<()> {
        self.run("delete from sessions where hash = $1", args![hash]).await.map(drop)
    }

    pub async fn token_create(&self, team: TeamId, token: &Token, hash: [u8; 32]) -> Result<()> {
        let sql = "insert into tokens (id, team, name, role, hash, created, last_used)
            values ($1, (select key from teams where id = $2), $3, $4, $5, $6, $7)";
        let Token { id, name, role, created, last_used } = token;
        let args = args![*id, team, name.as_str(), role.as_str(), hash, *created, *last_used];
        self.run(sql, args).await.map(drop)
    }

    /// Notes the use, at most once a minute.
    pub async fn token_find(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Principal>> {
        let sql = "select k.id as token_id, k.name as who, k.role, k.last_used, t.id as team, t.name as team_name,
                t.key as team_key, (select min(key) from teams) as first_team
            from tokens k join teams t on t.key = k.team where k.hash = $1";
        let Some(row) = self.row(sql, args![hash]).await? else { return Ok(None) };
        let token = row.id("token_id")?;
        if row.opt_time("last_used")?.is_none_or(|last| last + LAST_USED_EVERY <= now) {
            let noted = self.run("update tokens set last_used = $2 where hash = $1", args![hash, now]).await;
            // A database that cannot take the note now is no reason to refuse a reader.
            noted.map(drop).or_else(|err| if err.is_trouble() { Ok(()) } else { Err(err) })?;
        }
        principal(&row, None, Some(token)).map(Some)
    }

    pub async fn token_list(&self, team: TeamId) -> Result<Vec<Token>> {
        let sql = "select k.id, k.name, k.role, k.created, k.last_used from tokens k
            where k.team = (select key from teams where id = $1) order by k.key";
        let rows = self.rows(sql, args![team]).await?;
        rows.iter().map(read_token).collect()
    }

    pub async fn token_delete(&self, team: TeamId, token: TokenId) -> Result<bool> {
        let sql = "delete from tokens where id = $2 and team = (select key from teams where id = $1)";
        Ok(self.run(sql, args![team, token]).await? == 1)
    }

    /// Settings of the installation are sealed.
    pub async fn setting_get(&self, name: &str) -> Result<Option<String>> {
        let row = self.row("select name, value from settings where name = $1", args![name]).await?;
        let Some(row) = row else { return Ok(None) };
        let sealed = row.opt_blob("value")?.unwrap_or_default();
        let opened = self.seal().open(&setting(name), &sealed)?;
        String::from_utf8(opened).map(Some).map_err(|err| row.corrupt("value", &err))
    }

    pub async fn setting_set(&self, name: &str, value: &str) -> Result<()> {
        let sql = "insert into settings (name, value) values ($1, $2)
            on conflict (name) do update set value = excluded.value";
        let sealed = self.seal().close(&setting(name), value.as_bytes());
        self.run(sql, args![name, Some(sealed)]).await.map(drop)
    }
}

const TEAM_CREATE: &str = "insert into teams (id, name, created) values ($1, $2, $3)";

const MEMBER_ADD: &str = "insert into members (team, member, role, created) values
    ((select key from teams where id = $1), (select key from users where id = $2), $3, $4)
    on conflict (team, member) do update set role = excluded.role";

/// An account, a team, and that the one owns the other. Nothing where the address is taken.
async fn found(
    conn: &mut Conn,
    (user, email, password_hash): (UserId, &str, &str),
    (team, name): (TeamId, &str),
    now: Timestamp,
) -> Result<bool> {
    if !user_insert(conn, user, email, password_hash, now).await? {
        return Ok(false);
    }
    conn.run(TEAM_CREATE, args![team, name, now]).await?;
    conn.run(MEMBER_ADD, args![team, user, Role::Owner.as_str(), now]).await?;
    Ok(true)
}

async fn user_insert(conn: &mut Conn, user: UserId, email: &str, hash: &str, now: Timestamp) -> Result<bool> {
    let sql = "insert into users (id, email, password_hash, created) values ($1, $2, $3, $4)
        on conflict (email) do nothing";
    Ok(conn.run(sql, args![user, email.trim().to_lowercase(), hash, now]).await? == 1)
}

fn principal(row: &Row, user: Option<UserId>, token: Option<TokenId>) -> Result<Principal> {
    let role = row.word("role", |text| text.parse().ok())?;
    let is_first = row.int("team_key")? == row.int("first_team")?;
    Ok(Principal {
        user,
        token,
        who: row.text("who")?,
        team: row.id("team")?,
        team_name: row.text("team_name")?,
        role,
        is_operator: is_first && role == Role::Owner,
    })
}

fn read_token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.id("id")?,
        name: row.text("name")?,
        role: row.word("role", |text| text.parse().ok())?,
        created: row.time("created")?,
        last_used: row.opt_time("last_used")?,
    })
}

fn setting(name: &str) -> Cell<'_> {
    Cell { table: "settings", column: "value", row: name }
}
