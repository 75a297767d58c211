-- When a status was first seen, where its check saw it later than at its slot.
alter table health add column began bigint not null default 0;
update health set began = since;
