select count(*) as watched, coalesce(sum(case
    when w.seen + w.patience < $1 and w.cadence_since + w.patience < $1 and $2 + w.patience < $1
        then 1 else 0 end), 0) as overdue
from (
    select m.cadence_since, max(coalesce(h.seen, 0)) as seen, max(h.patience) as patience
    from health h join monitors m on m.key = h.monitor
    where m.paused = 0 and m.deleted_at is null group by m.key, m.cadence_since
) w
