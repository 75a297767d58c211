//! What can go wrong in the store. A variant names what failed and its subject; the source tells the rest.

use std::path::PathBuf;

use gazer_domain::Invalid;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not open the data directory {}", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the data directory {} is in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("could not open the database {database}")]
    Open {
        database: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("could not bring the database to version {version}")]
    Migrate {
        version: i64,
        #[source]
        source: sqlx::Error,
    },
    #[error("the database is at version {found}, older than the {known} that this program works with")]
    Behind { found: i64, known: i64 },
    #[error("the database is at version {found}, newer than the {known} that this program knows")]
    FromTheFuture { found: i64, known: i64 },
    #[error("the database was sealed with another key")]
    OtherKey,
    #[error("could not begin or commit a transaction")]
    Transaction(#[source] sqlx::Error),
    /// The statement's text says which operation it was.
    #[error("the database failed at: {statement}")]
    Statement {
        statement: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("{table}.{column} of row {row} cannot be read: {why}")]
    Corrupt { table: String, column: &'static str, row: String, why: String },
    /// Only where the store alone can know: a rule that names a channel or a monitor which the team does not have.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}
