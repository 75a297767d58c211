-- Where processes take turns every minute: who waits for this one, and up to where it planned.
alter table leases add column wanted bigint not null default 0;
alter table leases add column planned bigint;
