"""Everything the ledger knows of one record and its messages, for telling its story. Reads only, by index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from isthmus.ledger import audit, messages
from isthmus.ledger.audit import AuditRow
from isthmus.ledger.types import Db, MessageRow

#: A document that was tried or changed more often than this is told by its latest rows.
_MOST = 500


class RecordFact(Struct, frozen=True):
    """The hub's record."""

    id: int
    entity: str
    scope: str
    number: str
    amount: Decimal | None
    currency: str
    origin: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None


class LinkFact(Struct, frozen=True):
    """The record as one system holds it."""

    connection: str
    company: str
    native_id: str
    place: str
    modified_at: datetime | None
    agreed_at: datetime
    deleted_at: datetime | None


class AttemptFact(Struct, frozen=True):
    """One call for a message, or one look-up of its outcome."""

    message_id: int
    at: datetime
    step: str
    outcome: str
    code: str
    text: str
    delivery: str
    seconds: float


class NoteFact(Struct, frozen=True):
    """What a source was or will be told of the record. `body` is a state text."""

    connection: str
    body: str
    told: bool
    changed_at: datetime
    trouble: str


class Facts(Struct, frozen=True, kw_only=True):
    """All of it. `configurations`: message id -> version of the project it was decided under."""

    record: RecordFact | None
    links: tuple[LinkFact, ...]
    messages: tuple[MessageRow, ...]
    attempts: tuple[AttemptFact, ...]
    audit: tuple[AuditRow, ...]
    notes: tuple[NoteFact, ...]
    configurations: dict[int, int]


async def gather(db: Db, record_id: int | None, message_ids: Sequence[int]) -> Facts:
    """The facts of one record (None: of these messages alone), each kind in order of time."""
    ids = sorted({*message_ids, *await _of_record(db, record_id)})
    records = [] if record_id is None else [record_id]
    return Facts(
        record=await _record(db, record_id),
        links=await _links(db, records),
        messages=tuple(await messages.by_ids(db, ids)),
        attempts=await _attempts(db, ids),
        audit=tuple(await audit.of_records(db, records, ids, _MOST)),
        notes=await _notes(db, records),
        configurations=await _configurations(db, ids),
    )


async def _of_record(db: Db, record_id: int | None) -> list[int]:
    cursor = await db.execute("select id from message where record_id = %s", (record_id,))
    return [row[0] for row in await cursor.fetchall()]


async def _record(db: Db, record_id: int | None) -> RecordFact | None:
    cursor = await db.execute(
        """select id, entity, scope, number, amount, currency, origin, created_at, changed_at, deleted_at
             from record where id = %s""",
        (record_id,),
    )
    row = await cursor.fetchone()
    return RecordFact(*row) if row else None


async def _links(db: Db, record_ids: Sequence[int]) -> tuple[LinkFact, ...]:
    cursor = await db.execute(
        """select connection, company, native_id, place, modified_at, agreed_at, deleted_at from link
            where record_id = any(%b::bigint[]) order by connection, native_id""",
        (record_ids,),
    )
    return tuple(LinkFact(*row) for row in await cursor.fetchall())


async def _attempts(db: Db, message_ids: Sequence[int]) -> tuple[AttemptFact, ...]:
    cursor = await db.execute(
        """select message_id, at, step, outcome, code, text, delivery, seconds from attempt
            where message_id = any(%b::bigint[]) order by id desc limit %s""",
        (message_ids, _MOST),
    )
    return tuple(AttemptFact(*row) for row in reversed(await cursor.fetchall()))


async def _notes(db: Db, record_ids: Sequence[int]) -> tuple[NoteFact, ...]:
    """A note has its record's primary key by way of the record's links."""
    cursor = await db.execute(
        """select n.connection, n.body, n.written = n.body, n.changed_at, n.trouble
             from link l join note n on n.connection = l.connection and n.entity = l.entity
                                    and n.company = l.company and n.native_id = l.native_id
            where l.record_id = any(%b::bigint[]) order by n.changed_at""",
        (record_ids,),
    )
    return tuple(NoteFact(*row) for row in await cursor.fetchall())


async def _configurations(db: Db, message_ids: Sequence[int]) -> dict[int, int]:
    cursor = await db.execute(
        "select id, configuration_id from message where id = any(%b::bigint[]) and configuration_id is not null",
        (message_ids,),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}
