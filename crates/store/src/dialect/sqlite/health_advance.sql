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
where health.track = a.track
