//! SQLite: lists through `json_each`; one writer at a time, so nothing is locked by row.

use super::Spelling;

pub(super) const SPELLING: Spelling = &[
    ("{in list}", "in (select value from json_each($1))"),
    ("{each of list}", "(select value as v from json_each($1))"),
    ("{skip locked}", ""),
    ("{for update}", ""),
    ("{key}", "integer primary key autoincrement"),
    ("{blob}", "blob"),
    ("{bytewise}", ""),
    ("{narrow}", "without rowid"),
    ("{now}", "cast(unixepoch('subsec') * 1000 as integer)"),
    ("{hot}", ""),
];

pub(super) const TABLE: &str = "select name from sqlite_master where type = 'table' and name = $1";

pub(super) const CHECKS_APPEND: &str = include_str!("sqlite/checks_append.sql");
