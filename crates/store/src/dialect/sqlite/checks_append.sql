insert into checks (slot, track, late, took, verdict, code, phases)
select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, unhex(value ->> 6)
from json_each($1) where true
on conflict (slot, track) do nothing
