"""Messages as lists: streamed in the order they were made, so that a list of a million needs no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct

from isthmus.ledger.types import MESSAGE_COLUMNS, STOPPED_STATES, Db, MessageRow, MessageState, message_row

_AT_ONCE = 500


class Filter(Struct, frozen=True, kw_only=True):
    """Which messages. What is empty does not limit; what is given must hold together.

    record_ids, ids  those of any of these records, or with any of these ids
    """

    states: tuple[MessageState, ...] = ()
    flow: str = ""
    code: str = ""
    record_ids: tuple[int, ...] | None = None
    ids: tuple[int, ...] | None = None

    def clause(self) -> tuple[str, list[Any]]:
        """The condition and its parameters."""
        parts: list[str] = []
        values: list[Any] = []
        for condition, value in (
            ("state = any(%b::text[])", list(self.states)),
            ("flow = %s", self.flow),
            ("code = %s", self.code),
        ):
            if value:
                parts.append(condition)
                values.append(value)
        if self.record_ids is not None or self.ids is not None:
            parts.append("(record_id = any(%b::bigint[]) or id = any(%b::bigint[]))")
            values += [list(self.record_ids or ()), list(self.ids or ())]
        return " and ".join(parts) or "true", values


async def each_message(db: Db, wanted: Filter, limit: int = 0) -> AsyncIterator[MessageRow]:
    """Messages by id, from a cursor on the server; `limit` 0: all. Within the caller's transaction."""
    condition, values = wanted.clause()
    async with db.cursor(name="messages") as cursor:
        cursor.itersize = _AT_ONCE
        await cursor.execute(
            f"select {MESSAGE_COLUMNS} from message where {condition} order by id limit %s", (*values, limit or None)
        )
        async for row in cursor:
            yield message_row(row)


async def count(db: Db, wanted: Filter) -> int:
    """How many messages there are."""
    condition, values = wanted.clause()
    cursor = await db.execute(f"select count(*) from message where {condition}", values)
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def ids(db: Db, wanted: Filter) -> list[int]:
    """Their ids, oldest first."""
    condition, values = wanted.clause()
    cursor = await db.execute(f"select id from message where {condition} order by id", values)
    return [row[0] for row in await cursor.fetchall()]


async def stopped(db: Db, limit: int = 20) -> list[MessageRow]:
    """Messages a person must act on, oldest first."""
    return [message async for message in each_message(db, Filter(states=STOPPED_STATES), limit)]


async def waiting_for_lookup(db: Db, key: str) -> list[MessageRow]:
    """Stopped or waiting messages that miss the lookup row of this key."""
    cursor = await db.execute(
        f"""select {MESSAGE_COLUMNS} from message
             where state in ('held', 'dead', 'waiting') and code = 'lookup_missing' and upper(trim(value)) = upper(%s)
             order by id""",
        (key.strip(),),
    )
    return [message_row(row) for row in await cursor.fetchall()]
