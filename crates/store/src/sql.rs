//! A thin layer over sqlx that lets every statement be written once for both engines.
//!
//! Three kinds of value go in ([`Value`]), three come out ([`Row`]); both engines spell parameters `$1`. A [`Conn`] is
//! one of the two engines' connections, an enum and not a trait, so there is no tower of `where` clauses above this
//! file. Texts that differ come from [`Dialect`].
//!
//! By convention the first column of a select names the row, and an error about a column that cannot be read says it.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::query::Query;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Database, Encode, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, Transaction, Type, TypeInfo};

use gazer_domain::id::{Id, Kind};
use gazer_domain::{DeliveryId, Timestamp};

use crate::dialect::Dialect;
use crate::{Error, Result};

/// A parameter. `NULL` has a type too: PostgreSQL asks for it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

/// The parameters of a statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use args;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.millis()))
    }
}
impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(Timestamp::millis))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<&DeliveryId> for Value {
    fn from(value: &DeliveryId) -> Self {
        Self::Text(Some(value.as_str().to_owned()))
    }
}
impl<K: Kind> From<Id<K>> for Value {
    fn from(value: Id<K>) -> Self {
        Self::Text(Some(value.to_string()))
    }
}
impl From<[u8; 32]> for Value {
    fn from(value: [u8; 32]) -> Self {
        Self::Blob(Some(value.to_vec()))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Blob(value)
    }
}

#[derive(Debug)]
pub(crate) enum Conn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Conn {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into_sql_str();
        let rows = match self {
            Self::Sqlite(tx) => {
                bound(sql.clone(), args).fetch_all(&mut **tx).await.map(|rows| Row::of_sqlite(&sql, rows))
            }
            Self::Postgres(tx) => {
                patiently(bound(sql.clone(), args).fetch_all(&mut **tx)).await.map(|rows| Row::of_postgres(&sql, rows))
            }
        };
        rows.map_err(|source| failed(&sql, source))
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn run(&mut self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<u64> {
        let sql = sql.into_sql_str();
        let touched = match self {
            Self::Sqlite(tx) => bound(sql.clone(), args).execute(&mut **tx).await.map(|done| done.rows_affected()),
            Self::Postgres(tx) => {
                patiently(bound(sql.clone(), args).execute(&mut **tx)).await.map(|done| done.rows_affected())
            }
        };
        touched.map_err(|source| failed(&sql, source))
    }

    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, args: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, args).await?.pop())
    }

    /// A migration: several statements in one text.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let script = sqlx::raw_sql(self.dialect().spell(text));
        match self {
            Self::Sqlite(tx) => script.execute(&mut **tx).await.map(drop),
            Self::Postgres(tx) => script.execute(&mut **tx).await.map(drop),
        }
    }

    pub(crate) async fn commit(self) -> Result<()> {
        let done = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => patiently(tx.commit()).await,
        };
        done.map_err(Error::Transaction)
    }
}

pub(crate) fn bound<DB: Database>(sql: SqlStr, args: Vec<Value>) -> Query<'static, DB, DB::Arguments>
where
    Option<i64>: Encode<'static, DB> + Type<DB>,
    Option<String>: Encode<'static, DB> + Type<DB>,
    Option<Vec<u8>>: Encode<'static, DB> + Type<DB>,
{
    let mut query = sqlx::query::<DB>(sql);
    for value in args {
        query = match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value.map(storable)),
            Value::Blob(value) => query.bind(value),
        };
    }
    query
}

/// A server that fell silent in the middle of a transaction, its network cut, would hold the judge for ever. SQLite has
/// bounds of its own.
const SILENCE: Duration = Duration::from_secs(20);

/// Waits for PostgreSQL, but not for ever.
pub(crate) fn patiently<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> impl Future<Output = Result<T, sqlx::Error>> {
    within(SILENCE, work)
}

pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(patience, work).await.unwrap_or_else(silent)
}

/// PostgreSQL holds no NUL in a text, nor in its JSON. What comes from outside may, so it is replaced, on both engines
/// alike.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

pub(crate) fn failed(sql: &SqlStr, source: sqlx::Error) -> Error {
    Error::Statement { statement: sql.as_str().split_whitespace().collect::<Vec<_>>().join(" "), source }
}

#[derive(Debug)]
pub(crate) struct Row {
    cells: Cells,
    /// The select that it came from, which names its table.
    sql: SqlStr,
}

#[derive(Debug)]
enum Cells {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn of_sqlite(sql: &SqlStr, rows: Vec<SqliteRow>) -> Vec<Self> {
        rows.into_iter().map(|row| Self { cells: Cells::Sqlite(row), sql: sql.clone() }).collect()
    }

    pub(crate) fn of_postgres(sql: &SqlStr, rows: Vec<PgRow>) -> Vec<Self> {
        rows.into_iter().map(|row| Self { cells: Cells::Postgres(row), sql: sql.clone() }).collect()
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>> {
        let value = match &self.cells {
            Cells::Sqlite(row) => row.try_get_unchecked(column),
            Cells::Postgres(row) => match row.try_column(column).map(|column| column.type_info().name()) {
                Ok("INT2") => row.try_get::<Option<i16>, _>(column).map(|n| n.map(i64::from)),
                Ok("INT4") => row.try_get::<Option<i32>, _>(column).map(|n| n.map(i64::from)),
                _ => row.try_get(column),
            },
        };
        value.map_err(|source| self.corrupt(column, &source))
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        let value = match &self.cells {
            Cells::Sqlite(row) => row.try_get_unchecked(column),
            Cells::Postgres(row) => row.try_get(column),
        };
        value.map_err(|source| self.corrupt(column, &source))
    }

    pub(crate) fn opt_blob(&self, column: &'static str) -> Result<Option<Vec<u8>>> {
        let value = match &self.cells {
            Cells::Sqlite(row) => row.try_get_unchecked(column),
            Cells::Postgres(row) => row.try_get(column),
        };
        value.map_err(|source| self.corrupt(column, &source))
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| self.corrupt(column, &"is NULL"))
    }

    /// An integer of the width that the domain gives it.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        let value = self.int(column)?;
        T::try_from(value).map_err(|_| self.corrupt(column, &format!("{value} is out of range")))
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| self.corrupt(column, &"is NULL"))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self.int(column)?))
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    pub(crate) fn id<K: Kind>(&self, column: &'static str) -> Result<Id<K>> {
        let text = self.text(column)?;
        text.parse().map_err(|err| self.corrupt(column, &format!("{text:?} is {err}")))
    }

    pub(crate) fn opt_id<K: Kind>(&self, column: &'static str) -> Result<Option<Id<K>>> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|err| self.corrupt(column, &format!("{text:?} is {err}")))
    }

    /// A text that stands for something: a state, a kind, a role.
    pub(crate) fn word<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.corrupt(column, &format!("{text:?} is not a word it may hold")))
    }

    /// A text or a blob that one of `wire`'s files reads.
    pub(crate) fn read<T>(&self, column: &'static str, read: Result<T, String>) -> Result<T> {
        read.map_err(|why| self.corrupt(column, &why))
    }

    /// Names the row by its first column, and the table by the select's first `from`.
    pub(crate) fn corrupt(&self, column: &'static str, why: &dyn std::fmt::Display) -> Error {
        let mut words = self.sql.as_str().split_whitespace();
        let table = words.find(|word| *word == "from").and_then(|_| words.next()).unwrap_or("?");
        Error::Corrupt { table: table.to_owned(), column, row: self.name(), why: why.to_string() }
    }

    fn name(&self) -> String {
        let named = match &self.cells {
            Cells::Sqlite(row) => {
                row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
            }
            Cells::Postgres(row) => {
                row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
            }
        };
        named.unwrap_or_else(|_| "?".to_owned())
    }
}
