"""Messages: made by process, claimed by delivery, settled by confirm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from isthmus.ledger.types import (
    MESSAGE_COLUMNS,
    Db,
    MessageRow,
    MessageState,
    MessageWrite,
    Settlement,
    columns,
    message_row,
)
from isthmus.model.values import Action

#: The record changed while a message of it was under way: decided when that has ended, not simply sent after it.
CHANGED_IN_FLIGHT = "changed_in_flight"

#: What a waiting message becomes when it wakes. After a restore the ledger that was lost may have sent it already.
_AWAKE = """(select case when restored then 'uncertain' else 'ready' end as state,
                    case when restored then 'restored' else '' end as code,
                    case when restored then 'restored from backup: looked up before anything is sent' else '' end
                        as reason
               from (select exists (select from meta where name = 'restored_at') as restored) as known) as awake"""

_WRITTEN = MessageWrite.__struct_fields__
_TYPES = {
    "lane": "smallint", "record_id": "bigint", "follows": "bigint", "amount": "numeric", "event_on": "date",
    "settled_at": "timestamptz", "anchor_id": "bigint",
}  # fmt: skip
_ARRAYS = ", ".join(f"%b::{_TYPES.get(name, 'text')}[]" for name in _WRITTEN)
_REPLACED = ", ".join(
    f"{name} = excluded.{name}" for name in _WRITTEN if name not in {"key", "kind", "flow", "record_id", "connection"}
)


async def put(
    db: Db, messages: Sequence[MessageWrite], now: datetime, *, epoch: int, configuration: int | None
) -> dict[str, int]:
    """Insert messages; one whose key exists is replaced only while nothing of it can be in effect at the target.

    Returns key -> id of those written. Safe to repeat: an event key never makes a second message.
    """
    if not messages:
        return {}
    cursor = await db.execute(
        f"""insert into message ({", ".join(_WRITTEN)}, epoch, configuration_id, created_at, changed_at)
            select m.*, %s, %s, %s, %s from unnest({_ARRAYS}) as m({", ".join(_WRITTEN)})
            on conflict (key) do update
               set {_REPLACED}, configuration_id = excluded.configuration_id, changed_at = excluded.changed_at,
                   attempts = 0, next_at = null, delivery = '', sent_at = null, native_id = '', booked_at = null
             where message.state in ('ready', 'retrying', 'waiting', 'held', 'dead', 'skipped', 'cancelled')
            returning key, id""",
        (epoch, configuration, now, now, *columns(messages, *_WRITTEN)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def of_records(db: Db, flow: str, record_ids: Sequence[int]) -> dict[int, list[MessageRow]]:
    """Per record the flow's messages, oldest first."""
    cursor = await db.execute(
        f"select {MESSAGE_COLUMNS} from message where flow = %s and record_id = any(%b::bigint[]) order by id",
        (flow, list(record_ids)),
    )
    found: dict[int, list[MessageRow]] = {}
    for row in await cursor.fetchall():
        message = message_row(row)
        if message.record_id is not None:
            found.setdefault(message.record_id, []).append(message)
    return found


async def claim(
    db: Db, connection: str, intents: Sequence[tuple[int, str, str, Action]], fence: int, now: datetime
) -> set[int]:
    """Commit intents: (message id, delivery, document, action) go from ready or due retrying to sending.

    Returns the ids claimed.
    """
    cursor = await db.execute(
        """update message set state = 'sending', delivery = c.delivery, document = c.document, action = c.action,
                  sent_at = %s, fence = %s, changed_at = %s, attempts = attempts + 1, next_at = null, settled_at = null
             from unnest(%b::bigint[], %b::text[], %b::text[], %b::text[]) as c(id, delivery, document, action)
            where message.id = c.id and message.connection = %s and message.state in ('ready', 'retrying')
            returning message.id""",
        (now, fence, now, *[[intent[i] for intent in intents] for i in range(4)], connection),
    )
    return {row[0] for row in await cursor.fetchall()}


async def deliverable(db: Db, connection: str, now: datetime, limit: int) -> list[MessageRow]:
    """Messages that may be sent now, by lane and age. Later ones of a record wait behind earlier ones by state."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where connection = %s and (state = 'ready' or (state = 'retrying' and next_at <= %s))
             order by lane, id limit %s""",
        (connection, now, limit),
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def uncertain(db: Db, connection: str, now: datetime, limit: int) -> list[MessageRow]:
    """Messages whose outcome is to be looked up now."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where connection = %s and state = 'uncertain' and (next_at is null or next_at <= %s)
             order by lane, id limit %s""",
        (connection, now, limit),
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def unbooked(db: Db, connection: str, now: datetime, limit: int) -> list[MessageRow]:
    """Saved messages whose booking is to be looked for now."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where connection = %s and state = 'saved' and next_at <= %s order by id limit %s""",
        (connection, now, limit),
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def adopt_orphans(db: Db, connection: str, fence: int, now: datetime) -> int:
    """Sendings of turns that are gone: their outcome is unknown. Returns how many."""
    cursor = await db.execute(
        """update message set state = 'uncertain', code = 'interrupted', next_at = null, changed_at = %s,
                  reason = 'the call was interrupted before its answer was kept: looked up before anything is sent'
            where connection = %s and state = 'sending' and fence < %s""",
        (now, connection, fence),
    )
    return cursor.rowcount


async def settle(db: Db, settlements: Sequence[Settlement], fence: int, now: datetime) -> list[int]:
    """Move claimed or looked-up messages to what became of them, write their attempts, wake what waited behind them.

    Returns the ids moved; one that was moved meanwhile by somebody else is left alone.
    """
    if not settlements:
        return []
    cursor = await db.execute(
        """update message m set state = s.state, code = s.code, reason = s.reason, field = s.field, value = s.value,
                  mend = s.mend, next_at = s.next_at, settled_at = coalesce(s.settled_at, m.settled_at),
                  native_id = case when s.native_id <> '' then s.native_id else m.native_id end,
                  booked_at = coalesce(s.booked_at, m.booked_at), waits_for = s.waits_for, changed_at = %s,
                  earlier = case when s.abandon and m.delivery <> '' then m.earlier || m.delivery else m.earlier end,
                  delivery = case when s.abandon then '' else m.delivery end,
                  attempts = m.attempts - case when s.uncounted then 1 else 0 end,
                  memo = case when s.memo <> '' then s.memo else m.memo end
             from unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                         %b::timestamptz[], %b::timestamptz[], %b::text[], %b::timestamptz[], %b::text[], %b::bool[],
                         %b::bool[], %b::text[])
                  as s(id, state, code, reason, field, value, mend, next_at, settled_at, native_id, booked_at,
                       waits_for, abandon, uncounted, memo)
            where m.id = s.id and m.state in ('sending', 'uncertain', 'saved') returning m.id""",
        (
            now,
            *columns(
                settlements, "id", "state", "code", "reason", "field", "value", "mend", "next_at", "settled_at",
                "native_id", "booked_at", "waits_for", "abandon", "uncounted", "memo",
            ),
        ),
    )  # fmt: skip
    moved = [row[0] for row in await cursor.fetchall()]
    kept = set(moved)
    await _log_attempts(db, [x for x in settlements if x.id in kept and x.outcome], fence, now)
    await release(db, [x.id for x in settlements if x.id in kept and x.state in {"done", "skipped", "cancelled"}], now)
    return moved


async def _log_attempts(db: Db, rows: Sequence[Settlement], fence: int, now: datetime) -> None:
    if not rows:
        return
    await db.execute(
        """insert into attempt (message_id, at, step, outcome, code, text, delivery, fence, seconds)
           select a.id, %s, a.step, a.outcome, a.code, a.text, m.delivery, %s, a.seconds
             from unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::float8[])
                  as a(id, step, outcome, code, text, seconds)
             join message m on m.id = a.id""",
        (
            now, fence, *columns(rows, "id", "step", "outcome", "code", "reason", "seconds"),
        ),
    )  # fmt: skip


def behind(message_id: int) -> str:
    """What `waits_for` holds of a message that waits behind another one of its record."""
    return f"message:{message_id}"


async def release(db: Db, message_ids: Sequence[int], now: datetime) -> None:
    """Wake messages that waited behind these, in order: each record's next one only. What was put off stays."""
    if not message_ids:
        return
    await db.execute(
        f"""update message set state = awake.state, waits_for = '', code = awake.code, reason = awake.reason,
                   changed_at = %s
              from {_AWAKE}
             where message.state = 'waiting' and waits_for = any(%b::text[]) and message.code <> %s""",
        (now, [behind(message_id) for message_id in message_ids], CHANGED_IN_FLIGHT),
    )


async def put_off(db: Db, message_ids: Sequence[int]) -> list[MessageRow]:
    """Changes that wait for the end of these messages to be decided."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where state = 'waiting' and code = %s and waits_for = any(%b::text[]) order by id""",
        (CHANGED_IN_FLIGHT, [behind(message_id) for message_id in message_ids]),
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def of_flow(db: Db, flow: str) -> AsyncIterator[MessageRow]:
    """All messages of a flow, oldest first, one by one."""
    cursor = await db.execute(f"select {MESSAGE_COLUMNS} from message where flow = %s order by id", (flow,))
    async for row in cursor:
        yield message_row(row)


async def ahead(db: Db, wanted: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Of messages about to be put, (key, connection, anchor): which open one of the same anchor each comes behind.

    key -> message id. A message that exists keeps its place: what was put after it does not count. Those found are
    locked: none of them ends, and wakes what waits for it, before the caller has said that he waits.
    """
    if not wanted:
        return {}
    cursor = await db.execute(
        """select key, max(id) from (
               select w.key, m.id
                 from unnest(%b::text[], %b::text[], %b::bigint[]) as w(key, connection, anchor_id)
                 left join message own on own.key = w.key
                 join message m on m.anchor_id = w.anchor_id and m.connection = w.connection
                               and m.state not in ('done', 'skipped', 'cancelled')
                               and (own.id is null or m.id < own.id)
                  for share of m) as open_ones
            group by key""",
        tuple([row[i] for row in wanted] for i in range(3)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def stopped(db: Db, record_ids: Sequence[int]) -> set[int]:
    """Records for which something waits for a person."""
    cursor = await db.execute(
        "select distinct record_id from message where record_id = any(%b::bigint[]) and state in ('dead', 'held')",
        (list(record_ids),),
    )
    return {row[0] for row in await cursor.fetchall()}


async def followers(db: Db, message_ids: Sequence[int]) -> list[int]:
    """Messages that wait behind these."""
    cursor = await db.execute(
        "select id from message where state = 'waiting' and waits_for = any(%b::text[])",
        ([behind(message_id) for message_id in message_ids],),
    )
    return [row[0] for row in await cursor.fetchall()]


async def arrived(db: Db, names: Sequence[str], now: datetime) -> list[str]:
    """What exists now (numbers of records, `linked` ones): wake what waited for it and was decided already.

    Returns connections to wake.
    """
    if not names:
        return []
    cursor = await db.execute(
        f"""update message set state = awake.state, waits_for = '', code = awake.code, reason = awake.reason,
                   changed_at = %s
              from {_AWAKE}
             where message.state = 'waiting' and waits_for = any(%b::text[]) and (document <> '' or kind = 'state')
            returning connection""",
        (now, list(names)),
    )
    return sorted({row[0] for row in await cursor.fetchall()})


async def undecided(db: Db, names: Sequence[str]) -> list[MessageRow]:
    """Events whose document could not be made until what they wait for is there: to be decided anew."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where state = 'waiting' and waits_for = any(%b::text[]) and document = '' and kind = 'event'
             order by id""",
        (list(names),),
    )
    return [message_row(row) for row in await cursor.fetchall()]


def linked(connection: str, entity: str, number: str) -> str:
    """What `waits_for` holds of a message that waits until a connection has the record of a number."""
    return f"link:{connection}:{entity}:{number}"


async def missed(db: Db, connection: str) -> tuple[list[int], list[str]]:
    """What messages of a connection wait for although it is there: what they wait for ended, or was linked, at the very
    moment they were put. (ids of messages that ended, names of links that are there.)"""
    cursor = await db.execute(
        """select distinct b.id from message m join message b on m.waits_for = 'message:' || b.id::text
            where m.connection = %s and m.state = 'waiting' and b.state in ('done', 'skipped', 'cancelled')""",
        (connection,),
    )
    ended = [row[0] for row in await cursor.fetchall()]
    cursor = await db.execute(
        """select distinct m.waits_for from message m
             join link l on l.connection = m.connection and l.deleted_at is null
             join record r on r.id = l.record_id
            where m.connection = %s and m.state = 'waiting' and m.waits_for like 'link:%%'
              and m.waits_for = 'link:' || m.connection || ':' || r.entity || ':' || r.number""",
        (connection,),
    )
    return ended, [row[0] for row in await cursor.fetchall()]


async def expire_waiting(db: Db, flow: str, before: datetime, now: datetime) -> list[int]:
    """Waiting longer than the flow's limit becomes held and names what is missing. The ids of those."""
    cursor = await db.execute(
        """update message set state = 'held', code = 'waited_too_long', changed_at = %s,
                  reason = 'waited too long: ' || reason
            where flow = %s and state = 'waiting' and changed_at < %s and waits_for not like 'message:%%'
            returning id""",
        (now, flow, before),
    )
    return [row[0] for row in await cursor.fetchall()]


async def next_due(db: Db, connection: str) -> datetime | None:
    """When this connection's messages next want something; a ready one is due since its last change."""
    cursor = await db.execute(
        """select min(coalesce(next_at, changed_at)) from message
            where connection = %s and state in ('ready', 'retrying', 'uncertain')
            union all
           select min(next_at) from message where connection = %s and state = 'saved'
            order by 1 nulls last limit 1""",
        (connection, connection),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def by_ids(db: Db, ids: Sequence[int]) -> list[MessageRow]:
    """Messages by id."""
    cursor = await db.execute(
        f"select {MESSAGE_COLUMNS} from message where id = any(%b::bigint[]) order by id", (list(ids),)
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def moving(db: Db, connection: str) -> list[MessageRow]:
    """Messages of a connection that delivery still moves by itself."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where connection = %s and state in ('ready', 'retrying', 'uncertain') order by lane, id""",
        (connection,),
    )
    return [message_row(row) for row in await cursor.fetchall()]


async def close(
    db: Db,
    ids: Sequence[int],
    state: MessageState,
    code: str,
    reason: str,
    now: datetime,
    *,
    only: MessageState | None = None,
) -> list[int]:
    """A person closes messages that nothing of can be in effect, or `only` those in one state. The ids closed."""
    open_states = [only] if only else ["dead", "held", "waiting", "ready", "retrying"]
    cursor = await db.execute(
        """update message set state = %s, code = %s, reason = %s, mend = '', waits_for = '', next_at = null,
                  changed_at = %s
            where id = any(%b::bigint[]) and state = any(%b::text[]) returning id""",
        (state, code, reason, now, list(ids), open_states),
    )
    return [row[0] for row in await cursor.fetchall()]
