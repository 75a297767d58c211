//! PostgreSQL: lists through `jsonb`, made an array once, so that the index is used whatever the statistics say;
//! monitors are locked in the order of their keys, so judges never meet crosswise.

use super::Spelling;

pub(super) const SPELLING: Spelling = &[
    ("{in list}", "= any (array(select jsonb_array_elements_text($1::jsonb)))"),
    ("{each of list}", "jsonb_array_elements($1::jsonb) as each (v)"),
    ("{skip locked}", "for update skip locked"),
    ("{for update}", "for update"),
    ("{key}", "bigint generated always as identity primary key"),
    ("{blob}", "bytea"),
    ("{bytewise}", "collate \"C\""),
    ("{narrow}", ""),
    ("{now}", "(extract(epoch from clock_timestamp()) * 1000)::bigint"),
    ("{hot}", "with (fillfactor = 50)"),
];

pub(super) const WATCHES_LOCK: &str = "\
    select m.key from monitors m
    where m.id = any (array(select jsonb_array_elements_text($1::jsonb))) and m.paused = 0 and m.deleted_at is null
    order by m.key for update";

pub(super) const TABLE: &str = "\
    select tablename::text as name from pg_catalog.pg_tables
    where tablename = $1 and schemaname = any (current_schemas(false))";

pub(super) const CHECKS_APPEND: &str = include_str!("postgres/checks_append.sql");
