"""Records by the number people call them, and what is on its way that hangs on one of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from isthmus.ledger.types import Db


class Numbered(Struct, frozen=True):
    """A live record; `data` is its state as text."""

    scope: str
    number: str
    record_id: int
    data: str


class OnItsWay(Struct, frozen=True):
    """A document that hangs on a record (`anchor_id`) and is to be booked, but is not yet.

    subject   number of the record it is of
    stopped   a person has to bring it on, if it goes at all
    """

    anchor_id: int
    message_id: int
    subject: str
    document: str
    stopped: bool


async def by_number(db: Db, entity: str, scopes: Sequence[str], numbers: Sequence[str]) -> list[Numbered]:
    """Live records of these numbers in these scopes, oldest first."""
    if not scopes or not numbers:
        return []
    cursor = await db.execute(
        """select scope, number, id, data from record
            where entity = %s and scope = any(%b::text[]) and number = any(%b::text[]) and deleted_at is null
            order by id""",
        (entity, list(scopes), list(numbers)),
    )
    return [Numbered(*row) for row in await cursor.fetchall()]


async def on_their_way(db: Db, entity: str, anchor_ids: Sequence[int]) -> list[OnItsWay]:
    """Documents of an entity that hang on these records and are not over, in order."""
    if not anchor_ids:
        return []
    cursor = await db.execute(
        """select anchor_id, id, subject, document, state in ('held', 'dead') from message
            where anchor_id = any(%b::bigint[]) and entity = %s and kind = 'event'
              and state not in ('done', 'skipped', 'cancelled')
            order by id""",
        (list(anchor_ids), entity),
    )
    return [OnItsWay(*row) for row in await cursor.fetchall()]


async def with_messages(db: Db, record_ids: Sequence[int]) -> set[int]:
    """Those of these records for which something was or is to be delivered."""
    cursor = await db.execute(
        """select distinct record_id from message
            where record_id = any(%b::bigint[]) and state not in ('skipped', 'cancelled')""",
        (list(record_ids),),
    )
    return {row[0] for row in await cursor.fetchall()}
