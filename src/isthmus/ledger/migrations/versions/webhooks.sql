-- Webhook subscriptions as they stand at the systems. kept: there as far as we know; lost: was there and is not now;
-- refused: the system never took it; unsupported: the system does not tell of this set. heard_at: the last notification.
create table subscription (
    connection text not null references connection(id),
    native text not null,
    company text not null,
    native_id text not null default '',
    state text not null check (state in ('kept', 'lost', 'refused', 'unsupported')),
    since timestamptz not null,
    expires_at timestamptz,
    heard_at timestamptz,
    code text not null default '',
    reason text not null default '',
    mend text not null default '',
    primary key (connection, native, company)
);

-- When a connection's subscriptions are looked after next. aim: digest of the address and of all that is wanted;
-- checked_at: when the system last told how they stand.
create table subscription_care (
    connection text primary key references connection(id),
    aim text not null,
    checked_at timestamptz,
    due_at timestamptz not null,
    trouble text not null default ''
);

-- What a hint names: JSON rows of entity, company (null: all) and native ids told to be gone; '' means everything.
alter table inbox add column named text not null default '';
create index inbox_digest on inbox (connection, digest);
delete from inbox a using inbox b
    where a.connection = b.connection and a.digest = b.digest and a.id > b.id and a.taken_at is null and b.taken_at is null;
create unique index inbox_open_once on inbox (connection, digest) where taken_at is null;
