//! Channels and alert rules.
//!
//! A rule is one row: what it names lies in its settings, checked when it is written. Deleting a monitor or a channel
//! takes it out of the rules that name it, so a rule never names what is gone. A deleted channel's row stays, without
//! its secret, because deliveries show its name.

use gazer_domain::alert::{Rule, RuleSettings, Scope};
use gazer_domain::channel::Target;
use gazer_domain::id::{Id, Kind};
use gazer_domain::{ChannelId, Invalid, MonitorId, RuleId, TeamId, Timestamp};

use crate::history::listed;
use crate::seal::Cell;
use crate::sql::{Conn, Row, Value, args};
use crate::{Result, Store, wire};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub target: Target,
    pub created: Timestamp,
}

impl Store {
    pub async fn channel_create(&self, team: TeamId, channel: &Channel) -> Result<()> {
        let (open, secret) = gazer_wire::target::split(&channel.target);
        let sql = "insert into channels (id, team, name, kind, target, secret, created)
            values ($1, (select key from teams where id = $2), $3, $4, $5, $6, $7)";
        let Channel { id, name, target, created } = channel;
        let secret = self.closed(*id, secret);
        self.run(sql, args![*id, team, name.as_str(), target.kind(), open, secret, *created]).await.map(drop)
    }

    pub async fn channel_get(&self, team: TeamId, channel: ChannelId) -> Result<Option<Channel>> {
        let sql = "select c.id, c.name, c.target, c.secret, c.created from channels c
            where c.team = (select key from teams where id = $1) and c.id = $2 and c.deleted_at is null";
        let row = self.row(sql, args![team, channel]).await?;
        row.map(|row| self.channel(&row)).transpose()
    }

    /// By age.
    pub async fn channel_list(&self, team: TeamId) -> Result<Vec<Channel>> {
        let sql = "select c.id, c.name, c.target, c.secret, c.created from channels c
            where c.team = (select key from teams where id = $1) and c.deleted_at is null order by c.key";
        let rows = self.rows(sql, args![team]).await?;
        rows.iter().map(|row| self.channel(row)).collect()
    }

    pub async fn channel_edit(
        &self,
        team: TeamId,
        channel: ChannelId,
        name: &str,
        target: &Target,
    ) -> Result<Option<Channel>> {
        let (open, secret) = gazer_wire::target::split(target);
        let sql = "update channels set name = $3, kind = $4, target = $5, secret = $6
            where team = (select key from teams where id = $1) and id = $2 and deleted_at is null";
        let secret = self.closed(channel, secret);
        self.run(sql, args![team, channel, name, target.kind(), open, secret]).await?;
        self.channel_get(team, channel).await
    }

    /// Takes it out of the rules that name it, and a rule that is left with no channel goes with it. What still waits
    /// for it is dead.
    pub async fn channel_delete(&self, team: TeamId, channel: ChannelId, now: Timestamp) -> Result<bool> {
        let mut conn = self.write().await?;
        rules_lock(&mut conn, team).await?;
        let sql = "update channels set deleted_at = $3, secret = null
            where team = (select key from teams where id = $1) and id = $2 and deleted_at is null returning key";
        let Some(row) = conn.row(sql, args![team, channel, now]).await? else { return Ok(false) };
        let sql = "update deliveries set state = 'dead', settled_at = $2, receipt = 'the channel was deleted'
            where channel = $1 and settled_at is null";
        conn.run(sql, args![row.int("key")?, now]).await?;
        for mut rule in rules(&mut conn, team).await? {
            if !rule.settings.channels.contains(&channel) {
                continue;
            }
            rule.settings.channels.retain(|named| *named != channel);
            if rule.settings.channels.is_empty() {
                conn.run("delete from rules where id = $1", args![rule.id]).await?;
            } else {
                rule_write(&mut conn, rule.id, &rule.settings).await?;
            }
        }
        conn.commit().await?;
        Ok(true)
    }

    /// `Error::Invalid` names the channel or monitor that the team does not have: `channels[1]`.
    pub async fn rule_create(&self, team: TeamId, rule: &Rule, now: Timestamp) -> Result<()> {
        let mut conn = self.write().await?;
        rules_lock(&mut conn, team).await?;
        owns(&mut conn, team, &rule.settings).await?;
        let sql = "insert into rules (id, team, name, settings, created)
            values ($1, (select key from teams where id = $2), $3, $4, $5)";
        let settings = wire::rule::to_json(&rule.settings);
        conn.run(sql, args![rule.id, team, rule.settings.name.as_str(), settings, now]).await?;
        conn.commit().await
    }

    pub async fn rule_get(&self, team: TeamId, rule: RuleId) -> Result<Option<Rule>> {
        let sql = "select r.id, r.name, r.settings from rules r
            where r.team = (select key from teams where id = $1) and r.id = $2";
        let row = self.row(sql, args![team, rule]).await?;
        row.as_ref().map(read_rule).transpose()
    }

    /// By age.
    pub async fn rule_list(&self, team: TeamId) -> Result<Vec<Rule>> {
        self.rows(RULES, args![team]).await?.iter().map(read_rule).collect()
    }

    /// Refuses as `rule_create` does.
    pub async fn rule_edit(&self, team: TeamId, rule: RuleId, settings: &RuleSettings) -> Result<Option<Rule>> {
        let mut conn = self.write().await?;
        rules_lock(&mut conn, team).await?;
        let sql = "update rules set name = $3 where team = (select key from teams where id = $1) and id = $2";
        if conn.run(sql, args![team, rule, settings.name.as_str()]).await? == 0 {
            return Ok(None);
        }
        owns(&mut conn, team, settings).await?;
        rule_write(&mut conn, rule, settings).await?;
        conn.commit().await?;
        Ok(Some(Rule { id: rule, settings: settings.clone() }))
    }

    pub async fn rule_delete(&self, team: TeamId, rule: RuleId) -> Result<bool> {
        let sql = "delete from rules where team = (select key from teams where id = $1) and id = $2";
        Ok(self.run(sql, args![team, rule]).await? == 1)
    }

    fn channel(&self, row: &Row) -> Result<Channel> {
        Ok(Channel {
            id: row.id("id")?,
            name: row.text("name")?,
            target: self.target(row, "id")?,
            created: row.time("created")?,
        })
    }

    /// Reads the target of the channel whose public id is in the column `id`.
    pub(crate) fn target(&self, row: &Row, id: &'static str) -> Result<Target> {
        let id = row.text(id)?;
        let sealed = row.opt_blob("secret")?;
        let secret = sealed.map(|sealed| self.seal().open(&cell(&id), &sealed)).transpose()?;
        row.read("target", gazer_wire::target::join(&row.text("target")?, secret))
    }

    fn closed(&self, channel: ChannelId, secret: Option<Vec<u8>>) -> Value {
        Value::Blob(secret.map(|secret| self.seal().close(&cell(&channel.to_string()), &secret)))
    }
}

const RULES: &str = "select r.id, r.name, r.settings from rules r
    where r.team = (select key from teams where id = $1) order by r.key";

pub(crate) async fn rules(conn: &mut Conn, team: TeamId) -> Result<Vec<Rule>> {
    conn.rows(RULES, args![team]).await?.iter().map(read_rule).collect()
}

/// Whoever changes rules, or what rules name, does so alone in the team: a rule is read and written whole.
async fn rules_lock(conn: &mut Conn, team: TeamId) -> Result<()> {
    let sql = conn.dialect().spell("select key from teams where id = $1 {for update}");
    conn.rows(sql, args![team]).await.map(drop)
}

/// A deleted monitor is named by no rule; a rule for certain monitors that are all gone stays, and covers none.
pub(crate) async fn forget_monitor(conn: &mut Conn, team: TeamId, monitor: MonitorId) -> Result<()> {
    rules_lock(conn, team).await?;
    for mut rule in rules(conn, team).await? {
        let Scope::Some(monitors) = &mut rule.settings.scope else { continue };
        let named = monitors.len();
        monitors.retain(|named| *named != monitor);
        if monitors.len() < named {
            rule_write(conn, rule.id, &rule.settings).await?;
        }
    }
    Ok(())
}

fn cell(row: &str) -> Cell<'_> {
    Cell { table: "channels", column: "secret", row }
}

fn read_rule(row: &Row) -> Result<Rule> {
    let read = wire::rule::from_json(row.text("name")?, &row.text("settings")?);
    Ok(Rule { id: row.id("id")?, settings: row.read("settings", read)? })
}

async fn rule_write(conn: &mut Conn, rule: RuleId, settings: &RuleSettings) -> Result<()> {
    let sql = "update rules set settings = $2 where id = $1";
    conn.run(sql, args![rule, wire::rule::to_json(settings)]).await.map(drop)
}

/// Whether the team has what the rule names. Another team's and nobody's are refused alike.
async fn owns(conn: &mut Conn, team: TeamId, settings: &RuleSettings) -> Result<()> {
    let channels = "select c.id from channels c where c.id {in list}
        and c.team = (select key from teams where id = $2) and c.deleted_at is null";
    has_all(conn, team, channels, "channels", &settings.channels).await?;
    let Scope::Some(named) = &settings.scope else { return Ok(()) };
    let monitors = "select m.id from monitors m where m.id {in list}
        and m.team = (select key from teams where id = $2) and m.deleted_at is null";
    has_all(conn, team, monitors, "monitors", named).await
}

async fn has_all<K: Kind>(conn: &mut Conn, team: TeamId, sql: &str, field: &str, named: &[Id<K>]) -> Result<()> {
    let sql = conn.dialect().spell(sql);
    let rows = conn.rows(sql, args![listed(named), team]).await?;
    let known = rows.iter().map(|row| row.id("id")).collect::<Result<Vec<Id<K>>>>()?;
    match named.iter().position(|id| !known.contains(id)) {
        Some(i) => Err(Invalid::new(format!("{field}[{i}]"), format!("names none of the team's {field}")).into()),
        None => Ok(()),
    }
}
