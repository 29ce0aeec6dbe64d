-- The ledger. All times are timestamptz written by the application's clock; states and documents are canonical JSON
-- text (equal states are equal text), amounts numeric. Nothing here is deleted but scan_seen, inbox and old turn_log.

create table meta (
    name text primary key,
    value text not null
);

-- Versions of the project's configuration: messages keep the version they were made under.
create table configuration (
    id bigint generated always as identity primary key,
    digest text not null unique,
    content text not null,
    loaded_at timestamptz not null
);

-- A connection is an actor: one turn at a time, proved by its fence.
create table connection (
    id text primary key,
    system text not null,
    fence bigint not null default 0,
    holder text not null default '',
    turn_started_at timestamptz,
    next_due timestamptz,
    halted_code text not null default '',
    halted_text text not null default '',
    halted_at timestamptz,
    fingerprint text not null default '',
    seen_at timestamptz
);

-- One polled set of one company. filled_at: the first complete read; flows wait for the streams they need.
create table stream (
    connection text not null references connection(id),
    name text not null,
    company text not null,
    cursor text,
    due_at timestamptz,
    filled_at timestamptz,
    polled_at timestamptz,
    moment timestamptz,
    trouble text not null default '',
    failures int not null default 0,
    primary key (connection, name, company)
);

create table record (
    id bigint generated always as identity primary key,
    entity text not null,
    scope text not null,
    number text not null default '',
    data text not null,
    amount numeric,
    currency text not null default '',
    origin text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    deleted_at timestamptz
);
create index record_number on record (entity, scope, number);

create table link (
    connection text not null references connection(id),
    entity text not null,
    company text not null,
    native_id text not null,
    record_id bigint not null references record(id),
    family text not null default '',
    version text,
    base text not null,
    place text not null default '',
    modified_at timestamptz,
    agreed_at timestamptz not null,
    deleted_at timestamptz,
    primary key (connection, entity, company, native_id)
);
create index link_record on link (record_id);
create index link_native on link (native_id);
create index link_place on link (upper(place)) where place <> '';
create index link_family on link (connection, entity, company, family) where family <> '';

-- What a full scan has shown so far; emptied when the scan ends.
create table scan_seen (
    connection text not null,
    entity text not null,
    company text not null,
    scan text not null,
    native_id text not null,
    primary key (connection, entity, company, scan, native_id)
);

-- Where a record stands in a flow: is its condition true, how often did it become true, what was last decided.
create table progress (
    flow text not null,
    record_id bigint not null references record(id),
    active boolean not null,
    occurrence int not null,
    primary key (flow, record_id)
);

create table message (
    id bigint generated always as identity primary key,
    key text not null unique,
    kind text not null check (kind in ('state', 'event')),
    flow text not null,
    connection text not null references connection(id),
    company text not null,
    entity text not null,
    action text not null,
    lane smallint not null default 0,
    state text not null check (state in ('ready', 'sending', 'uncertain', 'retrying', 'waiting', 'held', 'saved',
                                         'dead', 'done', 'skipped', 'cancelled')),
    code text not null default '',
    reason text not null default '',
    field text not null default '',
    value text not null default '',
    mend text not null default '',
    record_id bigint references record(id),
    subject text not null default '',
    place text not null default '',
    document text not null default '',
    number text not null default '',
    amount numeric,
    currency text not null default '',
    event_on date,
    attempts int not null default 0,
    next_at timestamptz,
    delivery text not null default '',
    earlier text[] not null default '{}',
    sent_at timestamptz,
    settled_at timestamptz,
    fence bigint not null default 0,
    waits_for text not null default '',
    native_id text not null default '',
    booked_at timestamptz,
    follows bigint references message(id),
    epoch int not null default 1,
    configuration_id bigint references configuration(id),
    created_at timestamptz not null,
    changed_at timestamptz not null
);
create index message_open on message (connection, lane, id)
    where state in ('ready', 'sending', 'uncertain', 'retrying', 'waiting');
create index message_due on message (connection, next_at)
    where state in ('ready', 'sending', 'uncertain', 'retrying', 'waiting');
create index message_record on message (record_id, id);
create index message_unfinished on message (state, flow)
    where state in ('held', 'dead', 'saved', 'waiting', 'uncertain', 'retrying');
create index message_waits on message (waits_for) where state = 'waiting' and waits_for <> '';
create index message_number on message (number) where number <> '';

-- What the source is to be told of a record (write-back): the newest text wins, writing it twice is harmless.
create table note (
    connection text not null references connection(id),
    entity text not null,
    company text not null,
    native_id text not null,
    record_id bigint not null references record(id),
    body text not null,
    changed_at timestamptz not null,
    written text not null default '',
    attempts int not null default 0,
    next_at timestamptz,
    trouble text not null default '',
    primary key (connection, entity, company, native_id)
);
create index note_open on note (connection, next_at) where written <> body;

create table attempt (
    id bigint generated always as identity primary key,
    message_id bigint not null references message(id),
    at timestamptz not null,
    step text not null,
    outcome text not null,
    code text not null default '',
    text text not null default '',
    delivery text not null default '',
    fence bigint not null default 0,
    seconds double precision not null default 0
);
create index attempt_message on attempt (message_id, id);

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    connection text not null,
    who text not null,
    what text not null,
    entity text not null default '',
    record_id bigint,
    message_id bigint,
    field text not null default '',
    old text,
    new text,
    reason text not null default ''
);
create index audit_record on audit (record_id, id);
create index audit_message on audit (message_id, id);

-- Every number people know a document by.
create table alias (
    value text not null,
    kind text not null,
    record_id bigint,
    message_id bigint
);
create unique index alias_once on alias (upper(value), kind, coalesce(record_id, 0), coalesce(message_id, 0));

create table inbox (
    id bigint generated always as identity primary key,
    connection text not null references connection(id),
    received_at timestamptz not null,
    digest text not null,
    body text not null,
    taken_at timestamptz,
    note text not null default ''
);
create index inbox_open on inbox (connection, id) where taken_at is null;

create table lookup_row (
    name text not null,
    key text not null,
    value text not null,
    changed_at timestamptz not null,
    who text not null,
    primary key (name, key)
);

create table backfill (
    id bigint generated always as identity primary key,
    flow text not null,
    since date,
    until date,
    batch int not null,
    post boolean not null,
    state text not null check (state in ('running', 'paused', 'done', 'cancelled')),
    cursor text,
    seen bigint not null default 0,
    made bigint not null default 0,
    skipped bigint not null default 0,
    started_at timestamptz not null,
    changed_at timestamptz not null
);

create table turn_log (
    id bigint generated always as identity primary key,
    connection text not null,
    fence bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    counts text not null
);
create index turn_log_connection on turn_log (connection, id);
