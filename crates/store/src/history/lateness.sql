-- Of all regions: a slot is missed in one if it is accounted for there, has no check, no earlier check was still busy
-- at its instant, and nothing was known at that time. (One whose check an edit overtook, or that fell into a check out
-- of turn, was not missed.)
, seen as (
    select s.slot, s.monitor, h.covered, c.late, case when c.slot is null then 0 else 1 end as made,
        max(c.slot + c.late + c.took)
            over (partition by h.track order by s.slot rows between unbounded preceding and 1 preceding) as busy
    from slots s
    join health h on h.monitor = s.monitor
    join regions r on r.key = h.region and r.created <= s.slot
    left join checks c on c.slot = s.slot and c.track = h.track
    where s.slot < s.high
)
select coalesce(sum(seen.made), 0) as checks,
    coalesce(sum(case when seen.late > $5 then 1 else 0 end), 0) as late,
    coalesce(sum(case
        when seen.made = 0 and seen.slot < seen.covered and (seen.busy is null or seen.busy <= seen.slot) and exists (
            select 1 from periods p
            where p.monitor = seen.monitor and p.status = $6 and p.started <= seen.slot
                and (p.ended is null or p.ended > seen.slot)
        ) then 1
        else 0
    end), 0) as missed
from seen
