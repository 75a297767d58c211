update health set
    status = a.status, slot = a.slot, covered = a.covered, failing = a.failing, good = a.good,
    since = a.since,
    seen = coalesce(a.seen, health.seen), took = coalesce(a.took, health.took),
    verdict = coalesce(a.verdict, health.verdict),
    certificate_until = coalesce(a.certificate_until, health.certificate_until)
from a where health.track = a.track
