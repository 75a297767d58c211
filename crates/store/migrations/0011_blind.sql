-- Since when nothing is seen of whether the trouble lasts. The period says so as well, but one that began while the
-- clock was ahead is in the future when the clock is right again.
alter table waits add column blind_since bigint;
update waits set blind_since = (
    select m.status_since from monitors m where m.incident = waits.incident and m.status = 3
);
