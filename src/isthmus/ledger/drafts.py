"""Draft orders that were made of requisitions, by the number of the requisition."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from isthmus.ledger.types import Db


class Draft(Struct, frozen=True):
    """What became of a requisition: the message of its draft, and the record once the target has it."""

    message_id: int
    record_id: int | None


async def of_requisitions(
    db: Db, connection: str, entity: str, company: str, numbers: Sequence[str]
) -> dict[str, Draft]:
    """Drafts that are made or intended and that no order has taken over: number of the requisition -> draft."""
    if not numbers:
        return {}
    cursor = await db.execute(
        """select m.subject, m.id, d.id
             from message m
             left join link l on l.connection = m.connection and l.entity = m.entity and l.company = m.company
                             and l.native_id = m.native_id and m.native_id <> '' and l.deleted_at is null
             left join record d on d.id = l.record_id and d.deleted_at is null
            where m.connection = %s and m.entity = %s and m.company = %s and m.kind = 'event'
              and m.action = 'create' and m.subject = any(%b::text[]) and m.state not in ('skipped', 'cancelled')
              and (m.native_id = '' or (d.id is not null and not exists (
                     select from link other where other.record_id = d.id and other.connection <> m.connection)))
            order by m.id""",
        (connection, entity, company, list(numbers)),
    )
    return {row[0]: Draft(row[1], row[2]) for row in await cursor.fetchall()}
