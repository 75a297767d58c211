-- Monitors with waits whose time has come, that were not looked at since, and whose next slot is far away.
select distinct m.key as monitor
from waits w
join monitors m on m.incident = w.incident
join health h on h.track = m.key
where w.due_at <= $1 and w.asked_at <= $4 and (h.seen is null or h.seen + h.took < w.due_at) and h.covered + m.interval_ms > $2
    and m.paused = 0 and m.deleted_at is null
limit $3
