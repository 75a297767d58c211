-- Everything that judging needs of the monitors in the list, a row per region; nothing of it is parsed. A column less
-- is time saved with every check.
select m.key, m.id as monitor, t.id as team, m.revision, m.interval_ms, m.cadence_since, m.align_ms,
    m.recover_after, m.quorum, m.status as stands, h.track, h.region, h.status, h.since, h.began, h.slot, h.covered,
    h.failing, h.good, h.patience, h.seen, h.took,
    i.key as incident_key, i.id as incident, i.trouble, i.started, i.cause_code, i.cause_text, i.events,
    i.proved_at, i.proved_code
from monitors m
join teams t on t.key = m.team
join health h on h.monitor = m.key
left join incidents i on i.key = m.incident
where m.id {in list} and m.paused = 0 and m.deleted_at is null
