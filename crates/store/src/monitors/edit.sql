update monitors set
    revision = $2, recover_after = $3, interval_ms = $4, cadence_since = $5, seq = $6,
    name = $7, sort = $8, search = $9, kind = $10, target = $11, settings = $12, secret = $13,
    regions = $14, quorum = $15
where key = $1
