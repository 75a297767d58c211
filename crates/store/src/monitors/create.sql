insert into monitors (
    id, team, revision, paused, recover_after, interval_ms, cadence_since, created, seq,
    status, status_since, name, sort, search, kind, target, settings, secret, regions, quorum
) values (
    $1, (select key from teams where id = $2), $3, $4, $5, $6, $7, $8, $9,
    $10, $7, $11, $12, $13, $14, $15, $16, $17, $18, $19
) returning key
