//! Whether the key is the one that this database was sealed with.
//!
//! A database that was restored without its key, or a second node with a data folder of its own, would otherwise start
//! with a new key, and no channel could be read when its first alert is due. So the first open seals a known word, and
//! every open reads it. Two first opens with two keys: one row is written, and whoever does not open it is refused.

use crate::seal::Cell;
use crate::sql::args;
use crate::{Error, Result, Store};

const NAME: &str = "sealing-key-check";
const WORD: &[u8] = b"this key opens it";

impl Store {
    pub(crate) async fn key_check(&self) -> Result<()> {
        let read = "select value as sealed from settings where name = $1";
        if self.row(read, args![NAME]).await?.is_none() {
            self.key_check_begin().await?;
        }
        let Some(row) = self.row(read, args![NAME]).await? else { return Ok(()) };
        let sealed = row.opt_blob("sealed")?.unwrap_or_default();
        self.opens(&Cell { table: "settings", column: "value", row: NAME }, &sealed)
    }

    /// A database from before there was this check already has secrets, and they know their key.
    async fn key_check_begin(&self) -> Result<()> {
        for (table, column, sql) in [
            ("settings", "value", "select name as id, value as sealed from settings limit 1"),
            ("channels", "secret", "select id, secret as sealed from channels where secret is not null limit 1"),
        ] {
            if let Some(row) = self.row(sql, args![]).await? {
                let sealed = row.opt_blob("sealed")?.unwrap_or_default();
                self.opens(&Cell { table, column, row: &row.text("id")? }, &sealed)?;
            }
        }
        let sealed = self.seal().close(&Cell { table: "settings", column: "value", row: NAME }, WORD);
        let sql = "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing";
        self.run(sql, args![NAME, Some(sealed)]).await.map(drop)
    }

    fn opens(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<()> {
        self.seal().open(cell, sealed).map(drop).map_err(|_| Error::OtherKey)
    }
}
