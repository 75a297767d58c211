//! What the two engines spell differently: lists as parameters, bulk writes, row locks and column types.
//!
//! Everything else is one text. A list travels as one JSON parameter, `$1`, so a statement is the same whatever the
//! length of the list, and is prepared once.

mod postgres;
mod sqlite;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Words in our texts, and what an engine reads in their place.
pub(crate) type Spelling = &'static [(&'static str, &'static str)];

impl Dialect {
    /// Puts the engine's spelling in the place of the words in braces. Only texts of this crate come here.
    pub(crate) fn spell(self, sql: &str) -> SqlStr {
        let spelling = match self {
            Self::Sqlite => sqlite::SPELLING,
            Self::Postgres => postgres::SPELLING,
        };
        let mut spelled = sql.to_owned();
        for (word, by) in spelling {
            if spelled.contains(word) {
                spelled = spelled.replace(word, by);
            }
        }
        AssertSqlSafe(spelled).into_sql_str()
    }

    /// Finds the table that `$1` names.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::TABLE,
            Self::Postgres => postgres::TABLE,
        }
    }

    pub(crate) const fn checks_append(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::CHECKS_APPEND,
            Self::Postgres => postgres::CHECKS_APPEND,
        }
    }

    /// Locks the monitors that `$1` lists; SQLite has one writer, and needs none.
    pub(crate) const fn watches_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::WATCHES_LOCK),
        }
    }
}
