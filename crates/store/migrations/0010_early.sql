-- A failed delivery is tried before its time where its channel takes something: when it is planned by its failures, and
-- how soon it may be tried at the earliest. `due_at` is the one or the other.
alter table deliveries add column planned_at bigint not null default 0;
alter table deliveries add column soonest_at bigint not null default 0;
