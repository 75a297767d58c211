insert into monitors (
    id, team, revision, paused, recover_after, interval_ms, cadence_since, align_ms, created, seq,
    status, status_since, name, sort, search, kind, target, settings, secret, regions, quorum
) values (
    $1, (select key from teams where id = $2), $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $7, $12, $13, $14, $15, $16, $17, $18, $19, $20
) returning key
