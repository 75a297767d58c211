-- Of what waits, the next try is as planned now ($4) or before, and not before it has rested ($5).
update deliveries set state = $3, settled_at = $6, receipt = $7, attempts = attempts + $8,
    planned_at = coalesce($4, planned_at), soonest_at = coalesce($5, soonest_at),
    due_at = case
        when $3 <> 'waiting' then due_at
        when coalesce($4, planned_at) < $5 then $5
        else coalesce($4, planned_at)
    end
where id = $1 and epoch = $2 and state = 'leased'
