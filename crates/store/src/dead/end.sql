-- How an incident ended, beside the start that a channel is told of by now. Nothing if it lasts.
select e.number, e.kind, e.at, coalesce(e.cause_code, i.cause_code) as cause_code,
    coalesce(e.cause_text, i.cause_text) as cause_text, c.id as channel, d.notice,
    (select max(h.hears_end) from deliveries h where h.incident = i.key and h.channel = d.channel) as hears_end
from incidents i
    join events e on e.incident = i.key and e.number = i.events
    join deliveries d on d.incident = i.key and d.channel = $2
    join channels c on c.key = d.channel
where i.key = $1 and i.ended is not null and d.state <> 'dead' and d.event < e.number
order by d.event desc limit 1
