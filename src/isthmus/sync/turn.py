"""The turn: one bounded stretch of work for one connection, under its fence."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct, field

from isthmus.ledger import connections, statistics
from isthmus.ledger.types import Db
from isthmus.sync.world import Actor, World

#: New rows after which it is worth looking whether tables have outgrown what the planner knows of them.
_COUNT_AFTER = 1000


class TurnResult(Struct, kw_only=True):
    """What a turn did. `more`: work is left right now; `wake`: connections that have work because of it; `halted`: why
    the connection stands still; `misconfigured`: the project must be mended for it to go on."""

    connection: str
    more: bool = False
    next_due: datetime | None = None
    wake: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    halted: str = ""
    misconfigured: bool = False


class Turn:
    """A running turn: its connection's actor, fence and time bound."""

    def __init__(self, world: World, actor: Actor, fence: int) -> None:
        self.world = world
        self.actor = actor
        self.fence = fence
        self.result = TurnResult(connection=actor.id)
        self._uncounted = 0
        self._stop_starting_at = time.monotonic() + world.turn_bound.total_seconds()

    def may_start(self) -> bool:
        """Whether new work may still be started in this turn."""
        return time.monotonic() < self._stop_starting_at

    def now(self) -> datetime:
        return self.world.clock.now()

    def count(self, what: str, number: int = 1) -> None:
        if number:
            self.result.counts[what] = self.result.counts.get(what, 0) + number

    async def grew(self, rows: int) -> None:
        """The ledger grew by so many rows: from time to time the planner has to know."""
        self._uncounted += rows
        if self._uncounted >= _COUNT_AFTER:
            self._uncounted = 0
            async with self.world.transaction() as db:
                await statistics.refresh(db)

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[Db]:
        """One transaction, conditional on the fence. Raises FenceLost when a later turn has begun."""
        async with self.world.transaction() as db:
            await connections.guard(db, self.actor.id, self.fence)
            yield db
