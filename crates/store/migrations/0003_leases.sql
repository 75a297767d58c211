-- Whose turn something is, where several processes share the database.
create table leases (
    name text not null primary key,
    holder text not null,
    epoch bigint not null,
    until bigint not null
);
