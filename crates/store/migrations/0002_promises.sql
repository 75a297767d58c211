-- Whoever is told of a start hears of its end if the rule said so then, whatever becomes of the rule meanwhile.
alter table deliveries add column hears_end smallint not null default 1;

-- When evidence was last kept of an incident, and of which cause.
alter table incidents add column proved_at bigint;
alter table incidents add column proved_code text;

-- When a check was last asked for that says if the trouble lasts.
alter table waits add column asked_at bigint not null default 0;
