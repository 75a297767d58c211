insert into deliveries (
    id, team, channel, incident, event, event_kind, state, epoch, attempts, due_at, notice, created,
    hears_end
)
select $1, c.team, c.key, $3, $4, $5, 'waiting', 0, 0, $6, $7, $6, $8
from channels c
where c.id = $2 and c.deleted_at is null
    and not exists (
        select 1 from deliveries d where d.incident = $3 and d.channel = c.key and d.event >= $4
    )
