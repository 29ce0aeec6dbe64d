"""Records that were read before something they refer to was known: they are read again when its link is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from isthmus.ledger.types import Db, StreamKey


async def note(db: Db, stream: StreamKey, pairs: Sequence[tuple[str, str]]) -> None:
    """(native id of the record, native id it refers to). Safe to repeat."""
    if pairs:
        await db.execute(
            """insert into reread (connection, entity, company, native_id, refers_to)
               select %s, %s, %s, * from unnest(%b::text[], %b::text[]) on conflict do nothing""",
            (stream.connection, stream.entity, stream.company, [p[0] for p in pairs], [p[1] for p in pairs]),
        )


async def linked(db: Db, connection: str, native_ids: Sequence[str], now: datetime) -> None:
    """These ids have a link now: what refers to them is due."""
    await db.execute(
        """update reread set due_at = %s
            where connection = %s and due_at is null and refers_to = any(%b::text[])""",
        (now, connection, list(native_ids)),
    )


async def that_name(db: Db, connection: str, entities: Sequence[str], numbers: Sequence[str], now: datetime) -> None:
    """Records of these entities that hold one of these numbers as a value are due. One too many does no harm."""
    if not entities or not numbers:
        return
    await db.execute(
        """insert into reread (connection, entity, company, native_id, refers_to, due_at)
           select l.connection, l.entity, l.company, l.native_id, '', %s
             from link l join record r on r.id = l.record_id
            where l.connection = %s and l.entity = any(%b::text[]) and l.deleted_at is null
              and exists (select from unnest(%b::text[]) as number where position('"' || number || '"' in r.data) > 0)
           on conflict (connection, entity, company, native_id, refers_to) do update set due_at = excluded.due_at""",
        (now, connection, list(entities), list(numbers)),
    )


async def due(db: Db, connection: str, limit: int) -> dict[tuple[str, str], list[str]]:
    """What is to be read again now: (entity, company) -> native ids."""
    cursor = await db.execute(
        """select entity, company, native_id from reread where connection = %s and due_at is not null
            order by due_at limit %s""",
        (connection, limit),
    )
    found: dict[tuple[str, str], list[str]] = {}
    for entity, company, native_id in await cursor.fetchall():
        found.setdefault((entity, company), []).append(native_id)
    return {place: sorted(set(ids)) for place, ids in found.items()}


async def over(db: Db, stream: StreamKey, native_ids: Sequence[str]) -> None:
    """These were read again; what they still miss is noted anew."""
    await db.execute(
        "delete from reread where connection = %s and entity = %s and company = %s and native_id = any(%b::text[])",
        (stream.connection, stream.entity, stream.company, list(native_ids)),
    )


async def next_due(db: Db, connection: str) -> datetime | None:
    """When something is to be read again."""
    cursor = await db.execute("select min(due_at) from reread where connection = %s", (connection,))
    row = await cursor.fetchone()
    return row[0] if row else None
