"""How the ledger stands, in numbers: messages by state, totals by entity, what is in trouble. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from isthmus.ledger.types import Db, MessageState

#: The number of the lock that `isthmus.ledger.serving.serving` holds.
_SERVING = int.from_bytes(b"serving", "big")


class StateCount(Struct, frozen=True):
    """Messages of a flow in one state."""

    flow: str
    state: MessageState
    count: int


class EntityTotal(Struct, frozen=True):
    """Live records of an entity in one currency. `amount` is None where no record has one."""

    entity: str
    currency: str
    count: int
    amount: Decimal | None


class StreamStanding(Struct, frozen=True):
    """Where one polled set stands."""

    connection: str
    entity: str
    company: str
    filled: bool
    polled_at: datetime | None
    trouble: str


class NotesStanding(Struct, frozen=True):
    """Write-backs of one connection: told, still to be told, and the last trouble with it."""

    connection: str
    written: int
    open: int
    trouble: str


async def message_counts(db: Db) -> list[StateCount]:
    """Messages by flow and state."""
    cursor = await db.execute("select flow, state, count(*) from message group by flow, state order by flow, state")
    return [StateCount(*row) for row in await cursor.fetchall()]


async def entity_totals(db: Db, entities: Sequence[str]) -> list[EntityTotal]:
    """Live records of these entities by currency."""
    cursor = await db.execute(
        """select entity, currency, count(*), sum(amount) from record
            where deleted_at is null and entity = any(%b::text[]) group by entity, currency
            order by entity, currency""",
        (list(entities),),
    )
    return [EntityTotal(*row) for row in await cursor.fetchall()]


async def stream_standings(db: Db) -> list[StreamStanding]:
    """All streams, by connection."""
    cursor = await db.execute(
        """select connection, name, company, filled_at is not null, polled_at, trouble from stream
            order by connection, name, company"""
    )
    return [StreamStanding(*row) for row in await cursor.fetchall()]


async def note_standings(db: Db) -> list[NotesStanding]:
    """Write-backs by connection."""
    cursor = await db.execute(
        """select connection, count(*) filter (where written = body), count(*) filter (where written <> body),
                  coalesce(max(trouble) filter (where written <> body), '')
             from note group by connection order by connection"""
    )
    return [NotesStanding(*row) for row in await cursor.fetchall()]


async def reasons(db: Db, states: Sequence[MessageState], limit: int = 20) -> list[tuple[str, str, str, int, int]]:
    """Why messages stopped: (state, code, one reason, how many, one message id), most frequent first."""
    cursor = await db.execute(
        """select state, code, min(reason), count(*), min(id) from message where state = any(%b::text[])
            group by state, code order by count(*) desc, state, code limit %s""",
        (list(states), limit),
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()]


async def is_served(db: Db) -> bool:
    """Whether some process (up, worker, sync) works on this ledger right now. Says so by its lock, which a killed
    process loses at once."""
    cursor = await db.execute(
        """select exists (select from pg_locks
                           where locktype = 'advisory' and granted and objsubid = 1
                             and database = (select oid from pg_database where datname = current_database())
                             and (classid::bigint << 32 | objid::bigint) = %s)""",
        (_SERVING,),
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
