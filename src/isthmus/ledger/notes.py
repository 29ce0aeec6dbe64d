"""Notes: what a source is to be told of its records (write-back). The newest text wins; writing twice is harmless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from isthmus.ledger.types import Db, columns

#: News of one source gathers this long, so that a results file is not rewritten for each document.
_LINGER = timedelta(seconds=2)


class NoteRow(Struct, frozen=True):
    """One thing to tell. `body` is a state text."""

    connection: str
    entity: str
    company: str
    native_id: str
    record_id: int
    body: str
    attempts: int


async def put(db: Db, rows: Sequence[NoteRow], now: datetime) -> None:
    """Replace what is to be told of these records; equal text changes nothing."""
    if not rows:
        return
    await db.execute(
        """insert into note (connection, entity, company, native_id, record_id, body, changed_at, next_at)
           select n.*, %s, %s from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[]) as n
           on conflict (connection, entity, company, native_id) do update
              set body = excluded.body, changed_at = excluded.changed_at, attempts = 0, next_at = excluded.next_at
            where note.body <> excluded.body""",
        (
            now,
            now + _LINGER,
            *columns(rows, "connection", "entity", "company", "native_id", "record_id", "body"),
        ),
    )


async def due(db: Db, connection: str, now: datetime, limit: int) -> list[NoteRow]:
    """Notes to write now."""
    cursor = await db.execute(
        """select connection, entity, company, native_id, record_id, body, attempts from note
            where connection = %s and written <> body and (next_at is null or next_at <= %s)
            order by record_id limit %s""",
        (connection, now, limit),
    )
    return [NoteRow(*row) for row in await cursor.fetchall()]


async def written(db: Db, rows: Sequence[NoteRow]) -> None:
    """These texts stand in the source now; a newer text stays to be written."""
    await db.execute(
        """update note set written = w.body, trouble = '', next_at = null
             from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[])
                  as w(connection, entity, company, native_id, body)
            where note.connection = w.connection and note.entity = w.entity and note.company = w.company
              and note.native_id = w.native_id""",
        (*columns(rows, "connection", "entity", "company", "native_id", "body"),),
    )


async def postpone(db: Db, rows: Sequence[NoteRow], trouble: str, next_at: datetime) -> None:
    """Writing failed: why, and when it is tried again."""
    await db.execute(
        """update note set trouble = %s, next_at = %s, attempts = attempts + 1
             from unnest(%b::text[], %b::text[], %b::text[], %b::text[]) as w(connection, entity, company, native_id)
            where note.connection = w.connection and note.entity = w.entity and note.company = w.company
              and note.native_id = w.native_id""",
        (
            trouble,
            next_at,
            *columns(rows, "connection", "entity", "company", "native_id"),
        ),
    )


async def hasten(db: Db, connections: Sequence[str], now: datetime) -> None:
    """Make notes that could not be written due now: what stood in the way may be gone."""
    await db.execute(
        """update note set next_at = %s
            where written <> body and trouble <> '' and next_at > %s and connection = any(%b::text[])""",
        (now, now, list(connections)),
    )


async def next_due(db: Db, connection: str) -> datetime | None:
    """When the connection's notes next want writing."""
    cursor = await db.execute(
        "select min(coalesce(next_at, changed_at)) from note where connection = %s and written <> body", (connection,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def open_notes(db: Db) -> list[tuple[str, int, str]]:
    """Per connection how many notes are unwritten, and the last trouble."""
    cursor = await db.execute(
        """select connection, count(*), max(trouble) from note where written <> body group by connection
            order by connection"""
    )
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]
