"""Is there anything left to do by itself?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from isthmus.ledger.types import Db

#: So many polls in a row without an answer, and a connection is given up for this time.
_MANY_FAILURES = 5


class Idle(Struct, frozen=True, kw_only=True):
    """How much is left that moves by itself.

    pending      messages that move, streams not read since the start, notes not written
    running      turns that hold a connection right now
    next_at      earliest moment something of it is due
    connections  those with something left that can go on
    troubled     connection -> why it cannot go on (halted, unreachable)
    lost         those that were halted since the start or failed again and again
    hopeless     what is left needs lost connections
    """

    pending: int
    messages: int
    streams: int
    notes: int
    running: int
    next_at: datetime | None
    connections: tuple[str, ...]
    troubled: dict[str, str]
    lost: frozenset[str]
    hopeless: bool


async def standing(db: Db, names: Sequence[str], started: datetime, now: datetime) -> Idle:
    """What is left of these connections, counted from `started` for streams."""
    cursor = await db.execute(
        """with left_over as (
             select connection, 'message' as what, coalesce(next_at, changed_at) as at from message
              where state in ('ready', 'sending', 'retrying', 'uncertain') and connection = any(%b::text[])
             union all
             select connection, 'stream', due_at from stream
              where (polled_at is null or polled_at < %s or due_at <= %s) and connection = any(%b::text[])
             union all
             select connection, 'note', coalesce(next_at, changed_at) from note
              where written <> body and trouble = '' and connection = any(%b::text[]))
           select connection, what, count(*), min(at) from left_over group by connection, what""",
        (list(names), started, now, list(names), list(names)),
    )
    rows = await cursor.fetchall()
    cursor = await db.execute(
        """select id from connection where halted_code <> '' and seen_at >= %s and id = any(%b::text[])
           union
           select connection from stream where failures >= %s and connection = any(%b::text[])""",
        (started, list(names), _MANY_FAILURES, list(names)),
    )
    lost = frozenset(row[0] for row in await cursor.fetchall())
    troubled = await _troubled(db, names)  # after `lost`: who is lost meanwhile must not lack the reason
    counts = {what: sum(row[2] for row in rows if row[1] == what) for what in ("message", "stream", "note")}
    # What a lost connection has left is due all the time: it is no reason to wake it, nor a moment to wait for.
    moving = [row for row in rows if row[0] not in lost] or rows
    moments = [row[3] for row in moving if row[3] is not None]
    cursor = await db.execute(
        """select count(*) from connection where turn_started_at is not null and id = any(%b::text[])
              and next_due > %s""",
        (list(names), now),
    )
    running = await cursor.fetchone()
    return Idle(
        pending=sum(counts.values()),
        messages=counts["message"],
        streams=counts["stream"],
        notes=counts["note"],
        running=running[0] if running else 0,
        next_at=min(moments, default=None),
        connections=tuple(sorted({row[0] for row in moving})),
        troubled=troubled,
        lost=lost,
        hopeless=bool(lost) and all(row[0] in lost or row[0] in troubled for row in rows),
    )


async def _troubled(db: Db, names: Sequence[str]) -> dict[str, str]:
    cursor = await db.execute(
        """select id, halted_text from connection where halted_code <> '' and id = any(%b::text[])
           union all
           select connection, trouble from stream
            where trouble <> '' and filled_at is null and connection = any(%b::text[])
           union all
           select connection, trouble from stream where trouble <> '' and connection = any(%b::text[])""",
        (list(names), list(names), list(names)),
    )
    found: dict[str, str] = {}
    for name, text in await cursor.fetchall():
        found.setdefault(name, text)
    return found
