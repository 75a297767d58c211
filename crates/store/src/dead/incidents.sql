-- Incidents of which something dead can be sent again to that channel, the oldest first.
select distinct d.incident from deliveries d
where d.team = (select key from teams where id = $1) and d.state = 'dead' and d.channel = $2
    and d.incident is not null
    and not exists (
        select 1 from deliveries l
        where l.incident = d.incident and l.channel = d.channel and l.event > d.event and l.state <> 'dead'
    )
order by d.incident limit $3
