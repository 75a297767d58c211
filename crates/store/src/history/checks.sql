select c.slot, c.late, c.took, c.verdict, c.code, c.phases
from slots s cross join checks c
where c.slot = s.slot and c.track = s.monitor and s.slot < s.high
order by c.slot
