-- Records that are kept in step with several systems.

-- agreed: the hub's state that `base` stands for: equal but for what the system cut, rounded or spelt its own way; ''
--   where both are the same. external_id: id the other side knows the record by, where the system keeps one.
-- memo: what the connector asked to be remembered of the record (received quantities of an order).
alter table link add column agreed text not null default '';
alter table link add column memo text not null default '';
alter table link add column external_id text not null default '';

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
