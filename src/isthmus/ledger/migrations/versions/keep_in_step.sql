-- Records that are kept in step with several systems.

-- agreed: the hub's state that `base` stands for: equal but for what the system cut, rounded or spelt its own way; ''
--   where both are the same. external_id: id the other side knows the record by, where the system keeps one.
-- memo: what the connector asked to be remembered of the record (received quantities of an order).
alter table link add column agreed text not null default '';
alter table link add column memo text not null default '';
alter table link add column external_id text not null default '';
-- aside: a double that a person merged into another record of the same system: it is read, and leads to nothing.
alter table link add column aside boolean not null default false;

drop index link_record;
create index link_record on link (record_id, connection, entity, company);

-- anchor_id: the record the document hangs on: its messages are delivered one at a time, in order.
-- memo: what a person accepts by asking for another try.
alter table message add column anchor_id bigint references record(id);
alter table message add column memo text not null default '';
create index message_anchor on message (anchor_id, id)
    where anchor_id is not null and state not in ('done', 'skipped', 'cancelled');

-- Flows whose first meeting of two filled systems a person has gone through and confirmed.
create table first_contact (
    flow text primary key,
    confirmed_at timestamptz not null,
    who text not null
);

-- Records read before something they refer to was known: read again when its link is there.
create table reread (
    connection text not null references connection(id),
    entity text not null,
    company text not null,
    native_id text not null,
    refers_to text not null,
    due_at timestamptz,
    primary key (connection, entity, company, native_id, refers_to)
);
create index reread_refers on reread (connection, refers_to) where due_at is null;
create index reread_due on reread (connection, due_at) where due_at is not null;
