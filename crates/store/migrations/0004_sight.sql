-- Stretches in which a region of ours could not see, or could not tell. No team's; retention: 400 days.
create table episodes (
    region text not null,
    started bigint not null,
    fault text not null,
    said text not null,
    ended bigint,
    -- What the operator's webhook and mailbox were told: 0 nothing, 1 the start, 2 all.
    webhook_told smallint not null,
    email_told smallint not null,
    primary key (region, started)
);

-- When each region last looked whether it sees. One row per region, for ever.
create table looks (
    region text not null primary key,
    looked bigint not null
);
