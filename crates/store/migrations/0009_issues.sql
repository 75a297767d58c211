-- Errors of our own software, by fingerprint. The operator's, and no team's. Retention: 90 days after they were resolved,
-- 400 days after they were seen last.
create table issues (
    key {key},
    id text not null unique,
    fingerprint text not null unique,
    function text not null,
    said text not null,
    first_version text not null,
    last_version text not null,
    first_seen bigint not null,
    last_seen bigint not null,
    -- How often it happened, and how often it had when the operator was told last.
    times bigint not null,
    told_times bigint not null,
    told_at bigint not null,
    state text not null,
    resolved_at bigint
);
create index issues_by_age on issues (last_seen, id);

-- The last reports of each issue: at most twenty, as long as it is kept.
create table issue_occurrences (
    key {key},
    issue bigint not null references issues (key),
    process text not null,
    at bigint not null,
    said text not null,
    version text not null,
    region text not null,
    times bigint not null,
    unique (issue, process, at)
);

-- What the operator is told of issues, as it was when it was written; a digest is about several. Retention: 90 days.
create table issue_news (
    id text not null primary key,
    issue bigint references issues (key),
    kind text not null,
    way text not null,
    notice text not null,
    created bigint not null,
    leased smallint not null,
    epoch bigint not null,
    attempts bigint not null,
    -- The next attempt while it waits, the end of the lease while it is leased.
    due_at bigint not null,
    settled_at bigint,
    receipt text
);
create index issue_news_due on issue_news (due_at) where settled_at is null;
create index issue_news_by_issue on issue_news (issue, created);
