"""Backfills: which part of the past is being taken in, and how far. A checkpoint travels with its batch's commit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from isthmus.ledger.types import Db

BackfillState = Literal["running", "paused", "done", "cancelled"]
#: Such a backfill may still go on, so no second one of its flow begins.
OPEN: tuple[BackfillState, ...] = ("running", "paused")


class BackfillRow(Struct, frozen=True):
    """One backfill. `since` and `until` are days of the event, both inclusive, None without limit.

    seen     records of the range that were looked at
    made     of these, those that were taken in or decided anew
    skipped  of these, those that were there and were left alone
    """

    id: int
    flow: str
    since: date | None
    until: date | None
    batch: int
    post: bool
    state: BackfillState
    cursor: str | None
    seen: int
    made: int
    skipped: int
    started_at: datetime
    changed_at: datetime


_COLUMNS = ", ".join(BackfillRow.__struct_fields__)


async def begin(
    db: Db, flow: str, since: date | None, until: date | None, *, batch: int, post: bool, now: datetime
) -> BackfillRow:
    """A new one, running."""
    cursor = await db.execute(
        f"""insert into backfill (flow, since, until, batch, post, state, started_at, changed_at)
            values (%s, %s, %s, %s, %s, 'running', %s, %s) returning {_COLUMNS}""",
        (flow, since, until, batch, post, now, now),
    )
    return next(BackfillRow(*row) for row in await cursor.fetchall())


async def all_rows(db: Db) -> list[BackfillRow]:
    """Every backfill, oldest first."""
    cursor = await db.execute(f"select {_COLUMNS} from backfill order by id")
    return [BackfillRow(*row) for row in await cursor.fetchall()]


async def lock_flow(db: Db, flow: str) -> BackfillRow | None:
    """The open backfill of a flow; until the end of the transaction no other one of it can begin."""
    await db.execute("select pg_advisory_xact_lock(hashtextextended('backfill:' || %s, 0))", (flow,))
    cursor = await db.execute(
        f"select {_COLUMNS} from backfill where flow = %s and state = any(%b::text[]) order by id limit 1",
        (flow, list(OPEN)),
    )
    row = await cursor.fetchone()
    return BackfillRow(*row) if row else None


async def lock(db: Db, backfill_id: int) -> BackfillRow | None:
    """The row, held until the end of the transaction."""
    cursor = await db.execute(f"select {_COLUMNS} from backfill where id = %s for update", (backfill_id,))
    row = await cursor.fetchone()
    return BackfillRow(*row) if row else None


async def advance(
    db: Db, backfill_id: int, *, cursor: str, seen: int, made: int, skipped: int, done: bool, now: datetime
) -> None:
    """A batch is in: how far it goes, and what was counted."""
    await db.execute(
        """update backfill set cursor = %s, seen = seen + %s, made = made + %s, skipped = skipped + %s, changed_at = %s,
                  state = case when %s then 'done' else state end
            where id = %s""",
        (cursor, seen, made, skipped, now, done, backfill_id),
    )


async def set_state(db: Db, backfill_id: int, state: BackfillState, now: datetime) -> bool:
    """Pause, resume or cancel one that is open. False when it is over already or does not exist."""
    cursor = await db.execute(
        "update backfill set state = %s, changed_at = %s where id = %s and state = any(%b::text[])",
        (state, now, backfill_id, list(OPEN)),
    )
    return cursor.rowcount == 1
