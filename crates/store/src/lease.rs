//! Whose turn something is, where several processes share a database.
//!
//! Time is the database's own, so the clocks of the machines may differ. Each new holder has a new epoch.

use std::time::Duration;

use gazer_domain::Timestamp;
use gazer_domain::time::millis;

use crate::sql::args;
use crate::{Result, Store};

/// What a turn of planning left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// From where on slots are left.
    pub next: Timestamp,
    /// Up to which change the monitors are known.
    pub seq: i64,
}

impl Store {
    /// Takes or prolongs a lease for so long. Its epoch, or `None` while it is somebody else's.
    pub async fn lease_renew(&self, name: &str, holder: &str, length: Duration) -> Result<Option<i64>> {
        let mut conn = self.write().await?;
        let sql = conn.dialect().spell(include_str!("lease/renew.sql"));
        let row = conn.row(sql, args![name, holder, millis(length)]).await?;
        conn.commit().await?;
        row.map(|row| row.int("epoch")).transpose()
    }

    /// Lets its holder know that somebody waits for it.
    pub async fn lease_want(&self, name: &str, holder: &str) -> Result<()> {
        let sql = self.dialect().spell("update leases set wanted = {now} where name = $1 and holder <> $2");
        self.run(sql, args![name, holder]).await.map(drop)
    }

    /// Whether somebody began to wait, or went on, so lately.
    pub async fn lease_wanted(&self, name: &str, holder: &str, lately: Duration) -> Result<bool> {
        let sql = "select 1 as one from leases where name = $1 and holder = $2 and wanted > {now} - $3";
        let row = self.row(self.dialect().spell(sql), args![name, holder, millis(lately)]).await?;
        Ok(row.is_some())
    }

    /// Leaves word in this turn for whoever has the next.
    pub async fn word_leave(&self, name: &str, epoch: i64, word: Word) -> Result<()> {
        let sql = "update leases set planned = $3, seq = $4 where name = $1 and epoch = $2";
        self.run(sql, args![name, epoch, word.next, word.seq]).await.map(drop)
    }

    pub async fn word_read(&self, name: &str) -> Result<Option<Word>> {
        let sql = "select planned, seq from leases where name = $1 and planned is not null and seq is not null";
        let row = self.row(sql, args![name]).await?;
        row.map(|row| Ok(Word { next: row.time("planned")?, seq: row.int("seq")? })).transpose()
    }

    /// Lets somebody else have it at once.
    pub async fn lease_release(&self, name: &str, holder: &str) -> Result<()> {
        self.run("update leases set until = 0 where name = $1 and holder = $2", args![name, holder]).await.map(drop)
    }
}
