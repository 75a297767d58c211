insert into checks (slot, track, late, took, verdict, code, phases)
select (v ->> 0)::bigint, (v ->> 1)::integer, (v ->> 2)::integer, (v ->> 3)::integer, (v ->> 4)::smallint,
    (v ->> 5)::smallint, decode(v ->> 6, 'hex')
from jsonb_array_elements($1::jsonb) as v
on conflict (slot, track) do nothing
