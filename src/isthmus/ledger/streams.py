"""Streams: where each poll stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from isthmus.ledger.types import Db, StreamKey, columns


class StreamRow(Struct, frozen=True):
    """One polled set of one company."""

    connection: str
    name: str
    company: str
    cursor: str | None
    due_at: datetime | None
    filled_at: datetime | None
    polled_at: datetime | None
    trouble: str


_COLUMNS = "connection, name, company, cursor, due_at, filled_at, polled_at, trouble"


async def register(db: Db, connection: str, streams: Sequence[tuple[str, str]], now: datetime) -> None:
    """Make sure each (name, company) of the connection has its row, due at once when new."""
    await db.execute(
        """insert into stream (connection, name, company, due_at)
           select %s, name, company, %s from unnest(%b::text[], %b::text[]) as s(name, company)
           on conflict do nothing""",
        (connection, now, [s[0] for s in streams], [s[1] for s in streams]),
    )


async def of_connection(db: Db, connection: str) -> list[StreamRow]:
    """The connection's streams."""
    cursor = await db.execute(
        f"select {_COLUMNS} from stream where connection = %s order by name, company", (connection,)
    )
    return [StreamRow(*row) for row in await cursor.fetchall()]


async def all_streams(db: Db) -> list[StreamRow]:
    """Every stream."""
    cursor = await db.execute(f"select {_COLUMNS} from stream order by connection, name, company")
    return [StreamRow(*row) for row in await cursor.fetchall()]


async def advance(
    db: Db, stream: StreamKey, *, cursor: str | None, now: datetime, due_at: datetime | None, filled: bool, trouble: str
) -> None:
    """Move the cursor, in the transaction of the page it belongs to. `due_at` None: more is there right now.

    `trouble`: what people should know of what was read, "" when all is well.
    """
    await db.execute(
        """update stream set cursor = %s, due_at = coalesce(%s, due_at), polled_at = %s, trouble = %s, failures = 0,
                  filled_at = case when %s then coalesce(filled_at, %s) else filled_at end
            where connection = %s and name = %s and company = %s""",
        (cursor, due_at, now, trouble, filled, now, stream.connection, stream.entity, stream.company),
    )


async def postpone(db: Db, stream: StreamKey, *, due_at: datetime, trouble: str, failed: bool) -> None:
    """No poll now: note why and when the next one comes; `failed`: because the system did not answer."""
    await db.execute(
        """update stream set due_at = %s, trouble = %s, failures = failures + %s
            where connection = %s and name = %s and company = %s""",
        (due_at, trouble, int(failed), stream.connection, stream.entity, stream.company),
    )


async def hasten(db: Db, connections: Sequence[str], now: datetime) -> None:
    """Make all streams of the connections due now."""
    await db.execute(
        "update stream set due_at = %s, failures = 0 where connection = any(%b::text[])", (now, list(connections))
    )


async def hasten_some(db: Db, keys: Collection[StreamKey], now: datetime) -> None:
    """Make these streams due now."""
    await db.execute(
        """update stream set due_at = %s, failures = 0 where (connection, name, company) in
             (select * from unnest(%b::text[], %b::text[], %b::text[]))""",
        (now, *columns(keys, "connection", "entity", "company")),
    )


async def see(db: Db, stream: StreamKey, scan: str, native_ids: Sequence[str]) -> None:
    """Remember that a full scan showed these ids."""
    await db.execute(
        """insert into scan_seen (connection, entity, company, scan, native_id)
           select %s, %s, %s, %s, unnest(%b::text[]) on conflict do nothing""",
        (stream.connection, stream.entity, stream.company, scan, list(native_ids)),
    )


async def unseen(db: Db, stream: StreamKey, scan: str) -> list[str]:
    """Live links that the finished scan did not show.

    As a difference of sets: a planner that has not counted the young tables yet would else compare each with each.
    """
    place = (stream.connection, stream.entity, stream.company)
    cursor = await db.execute(
        """select native_id from link where connection = %s and entity = %s and company = %s and deleted_at is null
           except
           select native_id from scan_seen where connection = %s and entity = %s and company = %s and scan = %s
            order by 1""",
        (*place, *place, scan),
    )
    return [row[0] for row in await cursor.fetchall()]


async def forget_scans(db: Db, stream: StreamKey) -> None:
    """Empty what scans of this stream left."""
    await db.execute(
        "delete from scan_seen where connection = %s and entity = %s and company = %s",
        (stream.connection, stream.entity, stream.company),
    )
