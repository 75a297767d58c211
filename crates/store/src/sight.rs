//! What is known of our own sight: episodes for the operator, and that a look was taken. No team's rows.
//!
//! An episode is written whole, over what was there: whoever holds it in memory, because the store was what failed,
//! writes it when the store is back.

use std::time::Duration;

use gazer_domain::sight::{Episode, Fault, Told};
use gazer_domain::{Region, Timestamp};

use crate::sql::{Row, args};
use crate::{Result, Store};

/// An operator who could not be told for so long has other ways to know.
const WORTH_TELLING: Duration = Duration::from_secs(3 * 86_400);

/// An episode, and how much of it was told where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedEpisode {
    pub episode: Episode,
    pub webhook: Told,
    pub email: Told,
}

/// How many monitors there are to check, and how many have gone without for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overdue {
    pub overdue: u64,
    pub watched: u64,
}

impl Store {
    /// Writes down that a region looked: a store that takes this takes other things.
    pub async fn look_note(&self, region: &Region, now: Timestamp) -> Result<()> {
        let sql = "insert into looks (region, looked) values ($1, $2)
            on conflict (region) do update set looked = excluded.looked";
        self.run(sql, args![region.as_str(), now]).await.map(drop)
    }

    /// Writes down that witnesses on the internet answered in a region, for a process that does not know it yet.
    pub async fn world_note(&self, region: &Region, now: Timestamp) -> Result<()> {
        let sql = "insert into looks (region, looked, answered) values ($1, $2, $2)
            on conflict (region) do update set answered = excluded.answered";
        self.run(sql, args![region.as_str(), now]).await.map(drop)
    }

    /// When they answered last.
    pub async fn world_answered(&self, region: &Region) -> Result<Option<Timestamp>> {
        let row = self.row("select region, answered from looks where region = $1", args![region.as_str()]).await?;
        row.map_or(Ok(None), |row| row.opt_time("answered"))
    }

    /// Monitors without a check, in whichever region, for longer than they should be. What was missed before `since`,
    /// when this process began, is not held against it.
    pub async fn checks_overdue(&self, now: Timestamp, since: Timestamp) -> Result<Overdue> {
        let sql = include_str!("sight/overdue.sql");
        let Some(row) = self.row(sql, args![now, since]).await? else { return Ok(Overdue::default()) };
        Ok(Overdue { overdue: row.number("overdue")?, watched: row.number("watched")? })
    }

    pub async fn episode_put(&self, tracked: &TrackedEpisode) -> Result<()> {
        let TrackedEpisode { episode, webhook, email } = tracked;
        let Episode { region, fault, text, started, ended } = episode;
        let sql = "insert into episodes (region, started, fault, said, ended, webhook_told, email_told)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (region, started) do update set ended = excluded.ended,
                webhook_told = excluded.webhook_told, email_told = excluded.email_told";
        let args =
            args![region.as_str(), *started, fault.as_str(), text.as_str(), *ended, webhook.number(), email.number()];
        self.run(sql, args).await.map(drop)
    }

    /// What lasts, and what is still to be told, oldest first.
    pub async fn episodes_unsettled(&self, region: &Region, now: Timestamp) -> Result<Vec<TrackedEpisode>> {
        let sql = "select started, region, fault, said, ended, webhook_told, email_told from episodes
            where region = $1 and (ended is null or (started > $2 and (webhook_told < 2 or email_told < 2)))
            order by started";
        self.rows(sql, args![region.as_str(), now - WORTH_TELLING]).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<TrackedEpisode> {
    let told = |column| {
        let number: u8 = row.number(column)?;
        let told = Told::ALL.into_iter().find(|told| told.number() == number);
        told.ok_or_else(|| row.corrupt(column, &format!("{number} is out of range")))
    };
    Ok(TrackedEpisode {
        episode: Episode {
            region: row.word("region", |name| name.parse().ok())?,
            fault: row.word("fault", Fault::parse)?,
            text: row.text("said")?,
            started: row.time("started")?,
            ended: row.opt_time("ended")?,
        },
        webhook: told("webhook_told")?,
        email: told("email_told")?,
    })
}
