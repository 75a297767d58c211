-- Monitors with waits whose time has come, and of which a later check says that the trouble lasts.
select distinct m.id as monitor
from waits w
join incidents i on i.key = w.incident
join monitors m on m.incident = i.key
join health h on h.monitor = m.key
where w.due_at <= $1 and h.seen + h.took >= w.due_at and h.status in ($2, $3) and m.status in ($2, $3, $5)
    and m.paused = 0 and m.deleted_at is null
limit $4
