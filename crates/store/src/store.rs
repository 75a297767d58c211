//! Opening and closing.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Result, SealingKey};

/// Where the data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A data directory; the database is `gazer.db` in it.
    Sqlite(PathBuf),
    /// A `postgres://` address.
    Postgres(String),
}

#[derive(Debug, Clone)]
pub struct Options {
    pub location: Location,
    pub key: SealingKey,
    /// What links in notices begin with; it is frozen into each when its event is committed.
    pub public_url: String,
}

/// A handle; clones share one database.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<()>,
}

impl Store {
    /// Opens the database, and brings it to the present version. A data directory belongs to one such process.
    pub async fn open(options: Options) -> Result<Self> {
        todo!()
    }

    /// Opens a data directory that a running server may hold: for commands that read or write a row and leave.
    pub async fn open_beside(options: Options) -> Result<Self> {
        todo!()
    }

    pub async fn close(&self) {
        todo!()
    }
}
