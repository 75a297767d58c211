-- What is due and at the head of its line. Of each channel only so many that $2 are under way, and in turns: a channel
-- with few under way comes before one with many.
select r.id from (
    select d.id, d.key, d.due_at, coalesce(l.under_way, 0)
        + row_number() over (partition by d.channel order by d.due_at, d.key) as place
    from deliveries d
    left join (
        select channel, count(*) as under_way from deliveries
        where settled_at is null and state = 'leased' and due_at > $1
        group by channel
    ) l on l.channel = d.channel
    where d.settled_at is null and d.due_at <= $1
        and not exists (
            select 1 from deliveries e
            where e.incident = d.incident and e.channel = d.channel and e.event < d.event and e.settled_at is null
        )
) r
where r.place <= $2
order by r.place, r.due_at, r.key limit $3
