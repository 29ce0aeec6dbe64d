"""The log of turns: what was created, updated, skipped, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from isthmus.ledger.types import Db


class TurnRow(msgspec.Struct, frozen=True):
    """One turn that did something."""

    connection: str
    fence: int
    started_at: datetime
    ended_at: datetime
    counts: Mapping[str, int]


async def log_turn(
    db: Db, connection: str, fence: int, started_at: datetime, ended_at: datetime, counts: Mapping[str, int]
) -> None:
    """Keep what a turn counted."""
    await db.execute(
        "insert into turn_log (connection, fence, started_at, ended_at, counts) values (%s, %s, %s, %s, %s)",
        (connection, fence, started_at, ended_at, msgspec.json.encode(counts).decode()),
    )


async def recent_turns(db: Db, limit: int = 50) -> list[TurnRow]:
    """The newest turns first."""
    cursor = await db.execute(
        "select connection, fence, started_at, ended_at, counts from turn_log order by id desc limit %s", (limit,)
    )
    return [TurnRow(r[0], r[1], r[2], r[3], msgspec.json.decode(r[4])) for r in await cursor.fetchall()]
