"""Connections as actors: registration, the fence, halting, and when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from isthmus.errors import FenceLost, HomeBusy
from isthmus.ledger.types import Db

#: A turn that never ends (its worker died and the engine forgot it) is followed by another after this time.
_LEASE = timedelta(minutes=1)
_REGISTERING = 0x7265676973746572  # "register"


class ConnectionRow(Struct, frozen=True):
    """A connection's standing."""

    id: str
    system: str
    fence: int
    next_due: datetime | None
    halted_code: str
    halted_text: str
    halted_at: datetime | None
    fingerprint: str


async def register(db: Db, connections: Sequence[tuple[str, str]]) -> None:
    """Make sure each (id, system) has its row, one process after the other until its transaction ends: two that write
    the rows of a new ledger at once would wait for each other. Safe to repeat."""
    await db.execute("select pg_advisory_xact_lock(%s)", (_REGISTERING,))
    await db.execute(
        """insert into connection (id, system) select * from unnest(%b::text[], %b::text[])
           on conflict (id) do update set system = excluded.system""",
        ([c[0] for c in connections], [c[1] for c in connections]),
    )


async def begin_turn(db: Db, connection: str, holder: str, now: datetime, *, epoch: int | None = None) -> int:
    """Bump the fence and return it: from here on no earlier turn of this connection can commit.

    `epoch`: the one the caller read when it began. Raises HomeBusy when the ledger was restored since: what the caller
    knows is of another ledger. Raises FenceLost for a connection the ledger does not have.
    """
    cursor = await db.execute(
        """update connection set fence = fence + 1, holder = %s, turn_started_at = %s, next_due = %s
            where id = %s returning fence, (select value::int from meta where name = 'epoch')""",
        (holder, now, now + _LEASE, connection),
    )
    row = await cursor.fetchone()
    if row is None:
        raise FenceLost(f"connection {connection!r} is not in the ledger")
    if epoch is not None and row[1] != epoch:
        raise HomeBusy("This ledger was restored from a backup while it was worked on.", hint="Start Isthmus again.")
    return int(row[0])


async def guard(db: Db, connection: str, fence: int) -> None:
    """Hold the fence for the rest of this transaction. Raises FenceLost when a later turn has begun."""
    cursor = await db.execute("select 1 from connection where id = %s and fence = %s for share", (connection, fence))
    if await cursor.fetchone() is None:
        raise FenceLost(f"another worker acts for {connection!r} by now")


async def end_turn(db: Db, connection: str, fence: int, next_due: datetime | None) -> None:
    """Say when the connection wants its next turn; nothing if a later turn has begun."""
    await db.execute(
        "update connection set turn_started_at = null, holder = '', next_due = %s where id = %s and fence = %s",
        (next_due, connection, fence),
    )


async def halt(db: Db, connection: str, code: str, text: str, now: datetime) -> None:
    """Record that nothing of this connection can work now, and why."""
    await db.execute(
        """update connection set halted_code = %s, halted_text = %s, seen_at = %s,
                  halted_at = case when halted_code = %s then halted_at else %s end where id = %s""",
        (code, text, now, code, now, connection),
    )


async def resume(db: Db, connection: str) -> None:
    """Forget an earlier halt."""
    await db.execute(
        """update connection set halted_code = '', halted_text = '', halted_at = null
            where id = %s and halted_code <> ''""",
        (connection,),
    )


async def wake(db: Db, connections: Sequence[str], now: datetime) -> None:
    """Make connections due at once."""
    await db.execute(
        """update connection set next_due = %s
            where id = any(%b::text[]) and (next_due is null or next_due > %s)""",
        (now, list(connections), now),
    )


def lock_of(connection: str) -> str:
    """Name under which the engine queues and runs turns of a connection, one each."""
    return f"connection:{connection}"


async def due(db: Db, now: datetime, limit: int = 500) -> list[str]:
    """Connections whose time has come and that no turn is queued for."""
    cursor = await db.execute(
        """select id from connection
            where next_due <= %s and not exists (
                select from procrastinate_jobs where queueing_lock = 'connection:' || connection.id and status = 'todo')
            order by next_due limit %s""",
        (now, limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def wake_forgotten(db: Db, now: datetime) -> list[str]:
    """Connections that rest although something of theirs is due: whoever made it was killed before it could wake them.

    Makes them due and returns them. A halted connection rests for a reason.
    """
    cursor = await db.execute(
        """update connection c set next_due = %(now)s
            where c.turn_started_at is null and c.halted_code = '' and (c.next_due is null or c.next_due > %(now)s)
              and (exists (select from message where connection = c.id
                              and (state = 'ready' or (state in ('retrying', 'uncertain') and next_at <= %(now)s)))
                or exists (select from note where connection = c.id and written <> body and next_at <= %(now)s)
                or exists (select from inbox where connection = c.id and taken_at is null))
            returning c.id""",
        {"now": now},
    )
    return [row[0] for row in await cursor.fetchall()]


async def hold_still(db: Db, connections: Sequence[str], now: datetime) -> bool:
    """For the rest of this transaction no turn of these connections can begin. False when one is under way."""
    cursor = await db.execute(
        """select turn_started_at is not null and next_due > %s from connection
            where id = any(%b::text[]) for update skip locked""",
        (now, list(connections)),
    )
    rows = await cursor.fetchall()
    return len(rows) == len(connections) and not any(row[0] for row in rows)


async def standing(db: Db) -> list[ConnectionRow]:
    """All connections as they stand."""
    cursor = await db.execute(
        """select id, system, fence, next_due, halted_code, halted_text, halted_at, fingerprint
             from connection order by id"""
    )
    return [ConnectionRow(*row) for row in await cursor.fetchall()]


async def set_fingerprint(db: Db, connection: str, fingerprint: str) -> None:
    """Store what identifies the environment behind the connection."""
    await db.execute("update connection set fingerprint = %s where id = %s", (fingerprint, connection))
