"""Records by the number people call them, and what is on its way that hangs on one of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from isthmus.ledger.types import Db


class Numbered(Struct, frozen=True):
    """A live record; `data` is its state as text, `origin` the connection it was seen at first."""

    scope: str
    number: str
    record_id: int
    data: str
    origin: str


class OnItsWay(Struct, frozen=True):
    """A document that hangs on a record (`anchor_id`) and that the record, as it was read last, does not count yet.

    subject   number of the record it is of
    stopped   a person has to bring it on, if it goes at all
    booked    it is booked already, since the record was read
    """

    anchor_id: int
    message_id: int
    subject: str
    document: str
    stopped: bool
    booked: bool


async def by_number(
    db: Db, entity: str, scopes: Sequence[str], numbers: Sequence[str], shown_in: str = ""
) -> list[Numbered]:
    """Live records of these numbers in these scopes, oldest first. `shown_in`: only those a system has in that company,
    and not what another system alone knows."""
    if not scopes or not numbers:
        return []
    cursor = await db.execute(
        """select scope, number, id, data, origin from record
            where entity = %s and scope = any(%b::text[]) and number = any(%b::text[]) and deleted_at is null
              and (%s = '' or exists (select from link l
                                       where l.record_id = record.id and l.company = %s and l.deleted_at is null))
            order by id""",
        (entity, list(scopes), list(numbers), shown_in, shown_in),
    )
    return [Numbered(*row) for row in await cursor.fetchall()]


async def on_their_way(db: Db, entity: str, anchor_ids: Sequence[int]) -> list[OnItsWay]:
    """Documents of an entity that hang on these records, in order: those that are not over, and those that were booked
    after the system that books them showed the record last."""
    if not anchor_ids:
        return []
    cursor = await db.execute(
        """select m.anchor_id, m.id, m.subject, m.document, m.state in ('held', 'dead'), m.state = 'done'
             from message m
            where m.anchor_id = any(%b::bigint[]) and m.entity = %s and m.kind = 'event'
              and (m.state not in ('done', 'skipped', 'cancelled')
                   or (m.state = 'done' and m.changed_at > (select max(l.agreed_at) from link l
                         where l.record_id = m.anchor_id and l.connection = m.connection)))
            order by m.id""",
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
