with a as (
    select cast(v ->> 0 as bigint) as track, cast(v ->> 1 as bigint) as status, cast(v ->> 2 as bigint) as slot,
        cast(v ->> 3 as bigint) as covered, cast(v ->> 4 as bigint) as failing, cast(v ->> 5 as bigint) as good,
        cast(v ->> 6 as bigint) as seen, cast(v ->> 7 as bigint) as took, cast(v ->> 8 as bigint) as verdict,
        cast(v ->> 9 as bigint) as certificate_until, cast(v ->> 10 as bigint) as since,
        cast(v ->> 11 as bigint) as began
    from {each of list}
)
update health set
    status = a.status, slot = a.slot, covered = a.covered, failing = a.failing, good = a.good,
    since = a.since, began = a.began,
    seen = coalesce(a.seen, health.seen), took = coalesce(a.took, health.took),
    verdict = coalesce(a.verdict, health.verdict),
    certificate_until = coalesce(a.certificate_until, health.certificate_until)
from a where health.track = a.track
