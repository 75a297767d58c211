-- The last $4 slots up to $3 of each monitor's newest cadence, as its first region saw them.
with recursive bounds (monitor, track, id, step, phase, low, high) as (
    select c.monitor, (select h.track from health h where h.monitor = m.key order by h.region limit 1),
        m.id, c.interval_ms, c.phase_ms,
        case when c.since > $3 - $4 * c.interval_ms then c.since else $3 - $4 * c.interval_ms + 1 end,
        case when c.until < $3 then c.until else $3 + 1 end
    from monitors m join cadences c on c.monitor = m.key
    where m.id {in list} and m.team = (select key from teams where id = $2) and m.deleted_at is null
        and c.since = (select max(n.since) from cadences n where n.monitor = m.key)
),
slots (monitor, track, id, slot, step, high) as (
    select monitor, track, id, (low - phase + step - 1) / step * step + phase, step, high from bounds
    union all
    select monitor, track, id, slot + step, step, high from slots where slot + step < high
)
select s.id, c.slot, c.late, c.took, c.verdict, c.code, c.phases
from slots s cross join checks c
where c.slot = s.slot and c.track = s.track and s.slot < s.high
order by s.monitor, c.slot
