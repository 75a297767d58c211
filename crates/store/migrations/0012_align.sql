-- The grid on which the slots of a monitor lie, in milliseconds; 0 where they are spread.
alter table monitors add column align_ms bigint not null default 0;
-- Up to which change of a monitor the turn knew them.
alter table leases add column seq bigint;
