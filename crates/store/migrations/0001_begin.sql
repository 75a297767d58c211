-- The first schema. Times and durations are milliseconds. Words in braces are spelled by dialect/.

-- Teams, users, members: kept until an operator removes them.
create table teams (
    key {key},
    id text not null unique,
    name text not null,
    created bigint not null
);
create table users (
    key {key},
    id text not null unique,
    -- In lower case: addresses are compared without case.
    email text not null unique,
    password_hash text not null,
    created bigint not null
);
create table members (
    team bigint not null references teams (key),
    member bigint not null references users (key),
    role text not null,
    created bigint not null,
    primary key (team, member)
);

-- Sessions: until they expire.
create table sessions (
    hash {blob} not null primary key,
    member bigint not null references users (key),
    team bigint not null references teams (key),
    created bigint not null,
    expires bigint not null
);
create index sessions_by_expiry on sessions (expires);

-- Tokens of the API: until they are deleted.
create table tokens (
    key {key},
    id text not null unique,
    team bigint not null references teams (key),
    name text not null,
    role text not null,
    hash {blob} not null unique,
    created bigint not null,
    last_used bigint
);
create index tokens_by_team on tokens (team);

-- Settings of the installation, sealed.
create table settings (
    name text not null primary key,
    value {blob} not null
);

-- One row: the number of the last change of any monitor. Whoever changes one takes the next number and holds the row
-- until it commits, so numbers become visible in their order.
create table plan (
    seq bigint not null
);
insert into plan (seq) values (0);

-- Monitors: a deleted one until its deliveries are settled. Narrow columns first: judging reads them only.
create table monitors (
    key {key},
    id text not null unique,
    team bigint not null references teams (key),
    revision bigint not null,
    paused smallint not null,
    recover_after smallint not null,
    interval_ms bigint not null,
    cadence_since bigint not null,
    created bigint not null,
    deleted_at bigint,
    seq bigint not null,
    status smallint not null,
    status_since bigint not null,
    -- The open one.
    incident bigint,
    name text not null,
    -- The name in lower case: the order of the list.
    sort text {bytewise} not null,
    -- Name and target in lower case.
    search text not null,
    kind text not null,
    target text not null,
    settings text not null,
    secret {blob}
);
create index monitors_by_name on monitors (team, sort, id) where deleted_at is null;
create index monitors_by_status on monitors (team, status) where deleted_at is null;
create index monitors_by_change on monitors (seq);
create index monitors_deleted on monitors (deleted_at) where deleted_at is not null;

-- Stretches of one cadence, from which slots are enumerated: as long as their monitor.
create table cadences (
    monitor bigint not null,
    since bigint not null,
    until bigint,
    interval_ms bigint not null,
    phase_ms bigint not null,
    primary key (monitor, since)
) {narrow};

-- What is known of a monitor in one region; a track's key is its monitor's while there is one region.
create table health (
    track bigint not null primary key,
    -- interval, longest check and grace: overdue when `covered` is longer ago than this.
    patience bigint not null,
    status smallint not null,
    slot bigint not null,
    covered bigint not null,
    failing smallint not null,
    good smallint not null,
    seen bigint,
    took bigint,
    verdict smallint,
    certificate_until bigint
) {hot};

-- One row per check, appended in order of time. Retention: `expire`'s argument.
create table checks (
    slot bigint not null,
    track integer not null,
    late integer not null,
    took integer not null,
    verdict smallint not null,
    code smallint,
    phases {blob},
    primary key (slot, track)
) {narrow};

-- Stretches of one status: 400 days.
create table periods (
    monitor bigint not null,
    started bigint not null,
    ended bigint,
    status smallint not null,
    primary key (monitor, started)
) {narrow};

-- "Check now": an hour.
create table requests (
    key {key},
    team bigint not null,
    monitor bigint not null,
    created bigint not null,
    claimed_at bigint,
    observation text
);
create index requests_waiting on requests (key) where claimed_at is null;

-- Channels: hidden when deleted, while deliveries name them.
create table channels (
    key {key},
    id text not null unique,
    team bigint not null references teams (key),
    name text not null,
    kind text not null,
    target text not null,
    secret {blob},
    created bigint not null,
    deleted_at bigint
);
create index channels_by_team on channels (team);

create table rules (
    key {key},
    id text not null unique,
    team bigint not null references teams (key),
    name text not null,
    settings text not null,
    created bigint not null
);
create index rules_by_team on rules (team);

-- Incidents with their events, evidence, waits and deliveries: 400 days after their end.
create table incidents (
    key {key},
    id text not null unique,
    team bigint not null,
    monitor bigint not null,
    trouble text not null,
    started bigint not null,
    ended bigint,
    cause_code text not null,
    cause_text text not null,
    events bigint not null
);
create index incidents_by_team on incidents (team, started, key);
create index incidents_by_monitor on incidents (monitor, started, key);
create index incidents_by_end on incidents (ended) where ended is not null;

create table events (
    incident bigint not null,
    number bigint not null,
    kind text not null,
    at bigint not null,
    cause_code text,
    cause_text text,
    primary key (incident, number)
) {narrow};

create table evidence (
    incident bigint not null,
    slot bigint not null,
    attempts text not null,
    primary key (incident, slot)
);

-- Rules that tell only if trouble lasts: until they fire or the incident ends.
create table waits (
    incident bigint not null,
    rule text not null,
    event bigint not null,
    due_at bigint not null,
    primary key (incident, rule, event)
) {narrow};
create index waits_by_time on waits (due_at);

-- Deliveries: with their incident; tests for a week.
create table deliveries (
    key {key},
    id text not null unique,
    team bigint not null,
    channel bigint not null,
    -- NULL for a test.
    incident bigint,
    event bigint not null,
    event_kind text,
    state text not null,
    epoch bigint not null,
    attempts bigint not null,
    -- When it may be claimed: the next attempt's time, or the end of the lease.
    due_at bigint not null,
    settled_at bigint,
    receipt text,
    notice text not null,
    created bigint not null
);
create index deliveries_due on deliveries (due_at) where settled_at is null;
create index deliveries_by_incident on deliveries (incident, channel, event);
create index deliveries_by_channel on deliveries (channel) where settled_at is null;
create index deliveries_of_tests on deliveries (created) where incident is null;
