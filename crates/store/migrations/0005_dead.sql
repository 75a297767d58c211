-- What was given up is looked for each time that the Alerts page is opened; it is little, and must not be looked for
-- among all that was ever sent.
create index deliveries_dead on deliveries (team, settled_at) where state = 'dead';
