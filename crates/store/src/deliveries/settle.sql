-- What failed before its time waits as it did, or longer where it has to rest longer (soonest); what failed in its time
-- is tried again when that is planned now.
with s as (
    select v ->> 0 as id, cast(v ->> 1 as bigint) as epoch, v ->> 2 as state, cast(v ->> 3 as bigint) as planned,
        cast(v ->> 4 as bigint) as soonest, cast(v ->> 5 as bigint) as settled_at, v ->> 6 as receipt,
        cast(v ->> 7 as bigint) as counts
    from {each of list}
)
update deliveries set state = s.state, settled_at = s.settled_at, receipt = s.receipt, attempts = attempts + s.counts,
    planned_at = coalesce(s.planned, planned_at), soonest_at = coalesce(s.soonest, soonest_at),
    due_at = case
        when s.state <> 'waiting' then due_at
        when s.planned is null and planned_at < s.soonest then s.soonest
        else coalesce(s.planned, planned_at)
    end
from s where deliveries.id = s.id and deliveries.epoch = s.epoch and deliveries.state = 'leased'
returning deliveries.id, deliveries.state, deliveries.channel
