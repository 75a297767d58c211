//! Whose turn something is, where several processes share a database.
//!
//! Time is the database's own, so the clocks of the machines may differ. Each new holder has a new epoch.

use std::time::Duration;

use gazer_domain::time::millis;

use crate::sql::args;
use crate::{Result, Store};

impl Store {
    /// Takes or prolongs a lease for so long. Its epoch, or `None` while it is somebody else's.
    pub async fn lease_renew(&self, name: &str, holder: &str, length: Duration) -> Result<Option<i64>> {
        let mut conn = self.write().await?;
        let sql = conn.dialect().spell(include_str!("lease/renew.sql"));
        let row = conn.row(sql, args![name, holder, millis(length)]).await?;
        conn.commit().await?;
        row.map(|row| row.int("epoch")).transpose()
    }

    /// Lets somebody else have it at once.
    pub async fn lease_release(&self, name: &str, holder: &str) -> Result<()> {
        self.run("update leases set until = 0 where name = $1 and holder = $2", args![name, holder]).await.map(drop)
    }
}
