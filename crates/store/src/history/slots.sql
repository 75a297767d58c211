-- The slots of one monitor ($2 of team $1) in [$3, $4), one cadence after the other.
with recursive bounds (monitor, step, phase, low, high) as (
    select c.monitor, c.interval_ms, c.phase_ms,
        case when c.since > $3 then c.since else $3 end,
        case when c.until < $4 then c.until else $4 end
    from cadences c
    where c.monitor = (
            select m.key from monitors m join teams t on t.key = m.team
            where t.id = $1 and m.id = $2 and m.deleted_at is null
        )
        and c.since < $4 and (c.until is null or c.until > $3)
),
slots (monitor, slot, step, high) as (
    select monitor, (low - phase + step - 1) / step * step + phase, step, high from bounds
    union all
    select monitor, slot + step, step, high from slots where slot + step < high
)
