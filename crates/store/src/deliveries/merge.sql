-- What did not get through, and has a later event waiting behind it by now: that one goes out alone, and tells both.
update deliveries set state = 'merged', settled_at = $2
where id {in list} and state in ('waiting', 'dead') and exists (
    select 1 from deliveries e
    where e.incident = deliveries.incident and e.channel = deliveries.channel and e.event > deliveries.event
        and e.settled_at is null
)
