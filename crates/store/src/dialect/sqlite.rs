//! SQLite: lists through `json_each`; one writer at a time, so nothing is locked by row.

use super::Spelling;

pub(super) const SPELLING: Spelling = &[
    ("{in list}", "in (select value from json_each($1))"),
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

pub(super) const CHECKS_APPEND: &str = "\
    insert into checks (slot, track, late, took, verdict, code, phases)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, unhex(value ->> 6)
    from json_each($1) where true
    on conflict (slot, track) do nothing";

pub(super) const HEALTH_ADVANCE: &str = "\
    update health set
        status = a.status, slot = a.slot, covered = a.covered, failing = a.failing, good = a.good,
        since = a.since,
        seen = coalesce(a.seen, health.seen), took = coalesce(a.took, health.took),
        verdict = coalesce(a.verdict, health.verdict),
        certificate_until = coalesce(a.certificate_until, health.certificate_until)
    from (
        select value ->> 0 as track, value ->> 1 as status, value ->> 2 as slot, value ->> 3 as covered,
            value ->> 4 as failing, value ->> 5 as good, value ->> 6 as seen, value ->> 7 as took,
            value ->> 8 as verdict, value ->> 9 as certificate_until, value ->> 10 as since
        from json_each($1)
    ) as a
    where health.track = a.track";
