select c.slot, c.late, c.took, c.verdict, c.code, c.phases
from slots s cross join checks c
where c.slot = s.slot and s.slot < s.high and c.track = (
    select h.track from health h join regions r on r.key = h.region
    where h.monitor = s.monitor and ($5 is null or r.name = $5)
    order by h.region limit 1
)
order by c.slot
