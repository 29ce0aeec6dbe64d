"""Field-level audit: who changed what from what to what, when and why. Append only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from isthmus.ledger.types import AuditWrite, Db, columns


class AuditRow(Struct, frozen=True):
    """One audit row as people read it."""

    at: datetime
    connection: str
    who: str
    what: str
    entity: str
    record_id: int | None
    message_id: int | None
    field: str
    old: str | None
    new: str | None
    reason: str


async def append(db: Db, connection: str, rows: Sequence[AuditWrite], now: datetime) -> None:
    """Write audit rows of one connection in one statement."""
    if not rows:
        return
    await db.execute(
        """insert into audit (at, connection, who, what, entity, record_id, message_id, field, old, new, reason)
           select %s, %s, a.* from unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[],
                                          %b::text[], %b::text[], %b::text[]) as a""",
        (
            now,
            connection,
            *columns(rows, "who", "what", "entity", "record_id", "message_id", "field", "old", "new", "reason"),
        ),
    )


async def of_records(db: Db, record_ids: Sequence[int], message_ids: Sequence[int], limit: int = 500) -> list[AuditRow]:
    """Audit rows of these records and messages, oldest first."""
    cursor = await db.execute(
        """select at, connection, who, what, entity, record_id, message_id, field, old, new, reason from audit
            where record_id = any(%b::bigint[]) or message_id = any(%b::bigint[]) order by id limit %s""",
        (list(record_ids), list(message_ids), limit),
    )
    return [AuditRow(*row) for row in await cursor.fetchall()]
