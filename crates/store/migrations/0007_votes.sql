-- When witnesses on the internet answered last. A process that starts in the middle of an outage of ours has heard none
-- yet, and would call every site down.
alter table looks add column answered bigint;
