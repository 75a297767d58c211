//! What the operator is told of issues: rows that are claimed, sent and settled as deliveries are.
//!
//! Each of the operator's ways has a row of its own. Of an issue at most one waits on each way: what is written later
//! says all that an earlier one would have said. Repeats of all open issues are one digest.

use std::time::Duration;

use gazer_domain::channel::{About, Notice};
use gazer_domain::delivery::State;
use gazer_domain::issue::{
    AT_ONCE_WITHIN, Issue, Kind, News, TOLD_AT_ONCE, Told, Way, digest_id, is_digest_due, message_id,
};
use gazer_domain::{DeliveryId, Timestamp};

use super::{number, read, view};
use crate::sql::{Conn, Row, args};
use crate::{Result, Settlement, Store};

/// A digest names so many issues, those that repeated most, and counts the others.
const NAMED: usize = 20;

/// One message under a lease; whoever settles it says the `epoch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedNews {
    pub id: DeliveryId,
    pub epoch: i64,
    /// Failed attempts before this one.
    pub attempts: u32,
    pub way: Way,
    pub notice: Notice,
}

impl Store {
    /// Writes what is told at once, unless enough was; then it is for the digest.
    pub(super) async fn tell(
        &self,
        conn: &mut Conn,
        key: i64,
        issue: &Issue,
        kind: Kind,
        ways: &[Way],
        now: Timestamp,
    ) -> Result<()> {
        let sql = "select count(distinct issue) as issues from issue_news
            where kind <> 'digest' and created > $1 and created <= $2";
        let row = conn.row(sql, args![now - AT_ONCE_WITHIN, now]).await?;
        if row.map_or(Ok(0), |row| row.number::<u32>("issues"))? >= TOLD_AT_ONCE {
            return conn.run("update issues set told_at = $2 where key = $1", args![key, now]).await.map(drop);
        }
        let sql = "update issues set told_times = $2, told_at = $3 where key = $1";
        conn.run(sql, args![key, number(issue.count), now]).await?;
        let sql = "update issue_news set settled_at = $2, receipt = 'a later message says it' where issue = $1
            and settled_at is null";
        conn.run(sql, args![key, now]).await?;
        let link = self.issues_link();
        let news = News { kind, issues: vec![self.told(issue, u64::from(kind == Kind::Regressed))], more: 0, link };
        for way in ways {
            write(conn, &message_id(issue.id, now, *way), Some(key), *way, &news, now).await?;
        }
        Ok(())
    }

    /// Writes the digest, if something open repeats and the time has come. Whether it did.
    pub async fn issue_digest(&self, ways: &[Way], now: Timestamp) -> Result<bool> {
        // Nearly always there is nothing to write, and a look outside of the write lock says so.
        if ways.is_empty() || !is_due(&self.row(TOLD_FIRST, args![]).await?, now)? {
            return Ok(false);
        }
        let mut conn = self.write().await?;
        let sql = concat!(
            view!(),
            " where i.state = 'open' and i.times > i.told_times order by i.times - i.told_times desc, i.key {for update}"
        );
        let sql = conn.dialect().spell(sql);
        let repeated = conn.rows(sql, args![]).await?;
        // Whoever was quicker has told it by now.
        if repeated.is_empty() || !is_due(&conn.row(TOLD_FIRST, args![]).await?, now)? {
            return Ok(false);
        }
        let issues: Vec<Told> = repeated.iter().take(NAMED).map(|row| self.repeated(row)).collect::<Result<_>>()?;
        let more = u32::try_from(repeated.len() - issues.len()).unwrap_or(u32::MAX);
        let link = self.issues_link();
        let news = News { kind: Kind::Digest, issues, more, link };
        let sql = "update issues set told_times = times, told_at = $1 where state = 'open' and times > told_times";
        conn.run(sql, args![now]).await?;
        for way in ways {
            write(&mut conn, &digest_id(now, *way), None, *way, &news, now).await?;
        }
        conn.commit().await?;
        Ok(true)
    }

    fn repeated(&self, row: &Row) -> Result<Told> {
        let issue = read(row)?;
        let repeats = issue.count.saturating_sub(row.number("told_times")?);
        Ok(self.told(&issue, repeats))
    }

    /// What is due, oldest first. What a lease ran out of is claimed again, under the same id and a new epoch.
    pub async fn issue_news_claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedNews>> {
        let sql = "select id from issue_news where settled_at is null and due_at <= $1 order by created, id limit $2";
        let due = self.rows(sql, args![now, limit]).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.write().await?;
        let mut claimed = Vec::with_capacity(due.len());
        for row in &due {
            let sql = "update issue_news set leased = 1, epoch = epoch + 1, due_at = $3
                where id = $1 and settled_at is null and due_at <= $2 returning id, epoch, attempts, way, notice";
            let Some(row) = conn.row(sql, args![row.text("id")?, now, now + lease]).await? else { continue };
            match self::claimed(&row) {
                Ok(news) => claimed.push(news),
                // One that cannot be read must not hold up all others for ever.
                Err(err) => {
                    tracing::error!(error = &err as &dyn std::error::Error, "news of an issue cannot be read");
                    let sql = "update issue_news set settled_at = $2, receipt = 'it cannot be read' where id = $1";
                    conn.run(sql, args![row.text("id")?, now]).await?;
                }
            }
        }
        conn.commit().await?;
        Ok(claimed)
    }

    /// False if somebody else holds the lease by now, or if it was settled before: nothing changed.
    pub async fn issue_news_settle(&self, settlement: &Settlement, now: Timestamp) -> Result<bool> {
        let Settlement { id, epoch, settled } = settlement;
        let (due, _) = settled.next();
        let settled_at = (settled.state() != State::Waiting).then_some(now);
        let sql = "update issue_news set leased = 0, due_at = coalesce($3, due_at), settled_at = $4, receipt = $5,
                attempts = attempts + 1
            where id = $1 and epoch = $2 and leased = 1 and settled_at is null";
        Ok(self.run(sql, args![id, *epoch, due, settled_at, settled.receipt()]).await? == 1)
    }
}

/// When the first of the open issues that repeat was told, and when the last digest was written.
const TOLD_FIRST: &str = "select min(told_at) as told, (
        select max(created) from issue_news where kind = 'digest'
    ) as digest
    from issues where state = 'open' and times > told_times";

fn is_due(row: &Option<Row>, now: Timestamp) -> Result<bool> {
    let Some(row) = row else { return Ok(false) };
    let Some(told) = row.opt_time("told")? else { return Ok(false) };
    Ok(is_digest_due(told, row.opt_time("digest")?, now))
}

async fn write(
    conn: &mut Conn,
    id: &DeliveryId,
    issue: Option<i64>,
    way: Way,
    news: &News,
    now: Timestamp,
) -> Result<()> {
    let sql = "insert into issue_news (id, issue, kind, way, notice, created, leased, epoch, attempts, due_at)
        values ($1, $2, $3, $4, $5, $6, 0, 0, 0, $6) on conflict (id) do nothing";
    let notice = Notice { about: About::Issues(news.clone()), at: now };
    let args = args![id, issue, news.kind.as_str(), way.as_str(), gazer_wire::notice::to_json(&notice), now];
    conn.run(sql, args).await.map(drop)
}

fn claimed(row: &Row) -> Result<ClaimedNews> {
    Ok(ClaimedNews {
        id: DeliveryId::from_text(row.text("id")?),
        epoch: row.int("epoch")?,
        attempts: row.number("attempts")?,
        way: row.word("way", Way::parse)?,
        notice: row.read("notice", gazer_wire::notice::from_json(&row.text("notice")?))?,
    })
}
