//! PostgreSQL: lists through `jsonb`, made an array once, so that the index is used whatever the statistics say;
//! monitors are locked in the order of their keys, so judges never meet crosswise.

use super::Spelling;

pub(super) const SPELLING: Spelling = &[
    ("{in list}", "= any (array(select jsonb_array_elements_text($1::jsonb)))"),
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

pub(super) const CHECKS_APPEND: &str = "\
    insert into checks (slot, track, late, took, verdict, code, phases)
    select (v ->> 0)::bigint, (v ->> 1)::integer, (v ->> 2)::integer, (v ->> 3)::integer, (v ->> 4)::smallint,
        (v ->> 5)::smallint, decode(v ->> 6, 'hex')
    from jsonb_array_elements($1::jsonb) as v
    on conflict (slot, track) do nothing";

pub(super) const HEALTH_ADVANCE: &str = "\
    update health set
        status = a.status, slot = a.slot, covered = a.covered, failing = a.failing, good = a.good,
        since = a.since,
        seen = coalesce(a.seen, health.seen), took = coalesce(a.took, health.took),
        verdict = coalesce(a.verdict, health.verdict),
        certificate_until = coalesce(a.certificate_until, health.certificate_until)
    from (
        select (v ->> 0)::bigint as track, (v ->> 1)::smallint as status, (v ->> 2)::bigint as slot,
            (v ->> 3)::bigint as covered, (v ->> 4)::smallint as failing, (v ->> 5)::smallint as good,
            (v ->> 6)::bigint as seen, (v ->> 7)::bigint as took, (v ->> 8)::smallint as verdict,
            (v ->> 9)::bigint as certificate_until, (v ->> 10)::bigint as since
        from jsonb_array_elements($1::jsonb) as v
    ) as a
    where health.track = a.track";
