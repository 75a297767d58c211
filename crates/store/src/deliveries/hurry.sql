-- Its channel takes messages. What waits for it, that rested longest first, is tried now, or once it has rested.
update deliveries set due_at = case when soonest_at > $2 then soonest_at else $2 end
where key in (
    select d.key from deliveries d
    where d.channel = $1 and d.settled_at is null and d.state = 'waiting' and d.due_at > $2 and d.soonest_at < d.due_at
    order by d.soonest_at, d.key limit $3
    {skip locked}
)
