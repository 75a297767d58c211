-- Monitors with waits whose time has come, that were not looked at since but where all is well, and whose next slot is
-- far away.
select distinct m.key as monitor
from waits w
join monitors m on m.incident = w.incident
where w.due_at <= $1 and w.asked_at <= $4 and m.paused = 0 and m.deleted_at is null
    and (select max(h.covered) from health h where h.monitor = m.key) + m.interval_ms > $2
    and not exists (
        select 1 from health h where h.monitor = m.key and h.seen + h.took >= w.due_at and h.status <> $5
    )
limit $3
