"""What people do with messages, as use cases: choose them, retry, skip or correct them, have them delivered."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from isthmus.app.runtime import Runtime
from isthmus.errors import ConfigurationError
from isthmus.ledger import connections, listing, messages, overview, streams
from isthmus.ledger.idle import Idle
from isthmus.ledger.listing import Filter
from isthmus.ledger.types import STOPPED_STATES, Db, MessageRow, MessageState
from isthmus.model.spelling import spell_decimal
from isthmus.sync import act
from isthmus.sync.act import Acted
from isthmus.sync.world import World

#: So many messages move in one transaction.
_AT_ONCE = 100
#: Longest wait in seconds for a worker to have read everything.
_ANSWERS_WITHIN = 10.0
_ID = re.compile(r"(?:M-)?(\d{1,18})", re.IGNORECASE)

Action = Callable[[Db, Sequence[MessageRow]], Awaitable[list[Acted]]]


class Became(Struct, frozen=True):
    """What became of one message somebody acted on: what the action said, and how the message stands now."""

    id: int
    done: bool
    text: str
    row: MessageRow | None

    def line(self) -> dict[str, Any]:
        """As JSON shows it."""
        row = self.row
        return {
            "id": self.id,
            "done": self.done,
            "text": self.text,
            "state": row.state if row else None,
            "reason": row.reason if row else "",
            "mend": row.mend if row else "",
            "number": row.number if row else "",
            "amount": spell_decimal(row.amount) if row and row.amount is not None else None,
            "currency": row.currency if row else "",
        }


def message_ids(texts: Sequence[str]) -> list[int]:
    """`M-12` or `12`. Raises ConfigurationError for anything else."""
    found = []
    for text in texts:
        match = _ID.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(f"{text!r} is no message: write M-123.", code="usage")
        found.append(int(match[1]))
    return list(dict.fromkeys(found))


async def chosen(
    world: World, ids: Sequence[int], *, states: tuple[MessageState, ...] = (), flow: str = "", code: str = ""
) -> list[int]:
    """The messages named, or the stopped ones that fit. Raises ConfigurationError for an id that does not exist."""
    async with world.transaction() as db:
        if not ids:
            return await listing.ids(db, Filter(states=states or STOPPED_STATES, flow=flow, code=code))
        there = {row.id for row in await messages.by_ids(db, ids)}
    missing = [f"M-{i}" for i in ids if i not in there]
    if missing:
        raise ConfigurationError(f"there is no message {', '.join(missing)}.", code="usage")
    return list(ids)


async def look_afresh(
    runtime: Runtime, *, simulated: bool, progress: Callable[[Idle], None] | None = None
) -> dict[str, str]:
    """Read every source once more, so that what is decided next knows what was mended a moment ago.

    Read by the process that serves this ledger, if one does and answers within seconds, else here, where what is ready
    is delivered as well. Returns connections that cannot work, with the reason.
    """
    world = runtime.world
    started = world.clock.now()
    async with world.transaction() as db:
        served = await overview.is_served(db)
        if served:
            await streams.hasten(db, list(world.actors), started)
            await connections.wake(db, list(world.actors), started)
    if not served:
        return (await runtime.until_idle(simulated=simulated, progress=progress)).troubled
    until = time.monotonic() + _ANSWERS_WITHIN
    while time.monotonic() < until:
        async with world.transaction() as db:
            if all(row.polled_at is not None and row.polled_at >= started for row in await streams.all_streams(db)):
                break
        await asyncio.sleep(0.1)
    return {}


async def retry(world: World, ids: Sequence[int], who: str, progress: Callable[[int], None]) -> list[Acted]:
    """Decide these anew and let them be delivered."""

    async def action(db: Db, rows: Sequence[MessageRow]) -> list[Acted]:
        return await act.retry(db, world, rows, who)

    return await _each(world, ids, action, progress)


async def skip(world: World, ids: Sequence[int], who: str, why: str, progress: Callable[[int], None]) -> list[Acted]:
    """Decide that nothing shall be sent for these."""

    async def action(db: Db, rows: Sequence[MessageRow]) -> list[Acted]:
        return await act.skip(db, world, rows, who, why)

    return await _each(world, ids, action, progress)


async def correct(world: World, ids: Sequence[int], who: str, progress: Callable[[int], None]) -> list[Acted]:
    """Counter what is booked and book it anew."""

    async def action(db: Db, rows: Sequence[MessageRow]) -> list[Acted]:
        return [await act.correct(db, world, row, who) for row in rows]

    return await _each(world, ids, action, progress)


async def _each(world: World, ids: Sequence[int], action: Action, progress: Callable[[int], None]) -> list[Acted]:
    acted: list[Acted] = []
    for start in range(0, len(ids), _AT_ONCE):
        async with world.transaction() as db:
            acted += await action(db, await messages.by_ids(db, ids[start : start + _AT_ONCE]))
        progress(len(acted))
    return acted


async def deliver(
    runtime: Runtime, *, simulated: bool, limit: timedelta | None = None, progress: Callable[[Idle], None] | None = None
) -> Idle | None:
    """Have delivered what is ready: by the process that serves this ledger (None is returned at once), else here."""
    world = runtime.world
    async with world.transaction() as db:
        if await overview.is_served(db):
            await connections.wake(db, list(world.actors), world.clock.now())
            return None
    return await runtime.until_idle(simulated=simulated, limit=limit, progress=progress)


async def became(world: World, acted: Sequence[Acted]) -> list[Became]:
    """How the messages acted on stand now."""
    async with world.transaction() as db:
        rows = {row.id: row for row in await messages.by_ids(db, [one.id for one in acted])}
    return [Became(one.id, one.done, one.text, rows.get(one.id)) for one in acted]
