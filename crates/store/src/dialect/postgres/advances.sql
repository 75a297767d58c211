with a as (
    select (v ->> 0)::bigint as track, (v ->> 1)::smallint as status, (v ->> 2)::bigint as slot,
        (v ->> 3)::bigint as covered, (v ->> 4)::smallint as failing, (v ->> 5)::smallint as good,
        (v ->> 6)::bigint as seen, (v ->> 7)::bigint as took, (v ->> 8)::smallint as verdict,
        (v ->> 9)::bigint as certificate_until, (v ->> 10)::bigint as since
    from jsonb_array_elements($1::jsonb) as v
)
