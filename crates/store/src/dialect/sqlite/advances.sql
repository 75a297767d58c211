with a as (
    select value ->> 0 as track, value ->> 1 as status, value ->> 2 as slot, value ->> 3 as covered,
        value ->> 4 as failing, value ->> 5 as good, value ->> 6 as seen, value ->> 7 as took,
        value ->> 8 as verdict, value ->> 9 as certificate_until, value ->> 10 as since
    from json_each($1)
)
