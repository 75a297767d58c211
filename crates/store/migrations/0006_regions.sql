-- Places that monitors are checked from. A key is never given twice: a region that was removed stays, for the history
-- and the evidence that name it. Its name may be given again.
create table regions (
    key bigint not null primary key,
    name text not null,
    created bigint not null,
    removed_at bigint
);
create unique index regions_by_name on regions (name) where removed_at is null;
insert into regions (key, name, created) select 0, 'local', min(created) from monitors having count(*) > 0;

-- The number of the last track of a region that is not the first: these count down.
alter table plan add column tracks bigint not null default 0;

-- NULL is every region there is; names otherwise, in order, with a comma between.
alter table monitors add column regions text;
alter table monitors add column quorum text not null default 'majority';

alter table health add column monitor bigint not null default 0;
alter table health add column region bigint not null default 0;
-- The slot at which the status began.
alter table health add column since bigint not null default 0;
update health set monitor = track,
    since = coalesce((select m.status_since from monitors m where m.key = health.track), slot);
create unique index health_by_monitor on health (monitor, region);

-- How the trouble of a track began, where several regions decide whether it is one: cause and evidence of what is told
-- once another region has reported. One row per track, as long as it.
create table onsets (
    track bigint not null primary key,
    slot bigint not null,
    cause_code text not null,
    cause_text text not null,
    attempts text not null
);

-- Regions check at the same slots.
alter table evidence rename to evidence_before;
create table evidence (
    incident bigint not null,
    slot bigint not null,
    region bigint not null,
    -- NULL where it was not written down yet.
    code text,
    attempts text not null,
    primary key (incident, slot, region)
);
insert into evidence (incident, slot, region, attempts) select incident, slot, 0, attempts from evidence_before;
drop table evidence_before;

-- Where the answer came from.
alter table requests add column region text;
