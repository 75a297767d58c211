-- What failed before its time waits as it did, or longer where it has to rest longer ($5); what failed in its time is
-- tried again when that is planned now ($4).
update deliveries set state = $3, settled_at = $6, receipt = $7, attempts = attempts + $8,
    planned_at = coalesce($4, planned_at), soonest_at = coalesce($5, soonest_at),
    due_at = case
        when $3 <> 'waiting' then due_at
        when $4 is null and planned_at < $5 then $5
        else coalesce($4, planned_at)
    end
where id = $1 and epoch = $2 and state = 'leased'
