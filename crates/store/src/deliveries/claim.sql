-- What is due and at the head of its line, oldest first, and of each channel only so many that $4 are under way.
update deliveries set state = 'leased', epoch = epoch + 1, due_at = $2
where key in (
    select c.key from deliveries c
    where c.key in (
        select r.key from (
            select d.key, d.due_at, coalesce(l.under_way, 0) as under_way,
                row_number() over (partition by d.channel order by d.due_at, d.key) as place
            from deliveries d
            left join (
                select channel, count(*) as under_way from deliveries
                where settled_at is null and state = 'leased' and due_at > $1
                group by channel
            ) l on l.channel = d.channel
            where d.settled_at is null and d.due_at <= $1
                and not exists (
                    select 1 from deliveries e
                    where e.incident = d.incident and e.channel = d.channel and e.event < d.event
                        and e.settled_at is null
                )
        ) r
        where r.place + r.under_way <= $4
        order by r.due_at, r.key limit $3
    ) and c.settled_at is null and c.due_at <= $1
    {skip locked}
) returning id
