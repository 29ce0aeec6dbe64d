"""A running Isthmus: ledger, connectors, world and engine of one project in this process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from psycopg_pool import AsyncConnectionPool

from isthmus.app.engine import Engine
from isthmus.app.project.project import Project
from isthmus.app.wiring import LedgerFacts, build_connectors, build_world
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector
from isthmus.errors import HomeBusy, StorageFailed
from isthmus.ledger import configurations, connections, idle, notes, streams
from isthmus.ledger.database import Database, storage_errors
from isthmus.ledger.epoch import Epoch, read_epoch
from isthmus.ledger.serving import Serving, serving
from isthmus.ledger.types import Db
from isthmus.sync.expire import expire_waiting
from isthmus.sync.points import arm_from
from isthmus.sync.world import World

#: How long (seconds) a ledger that does not answer is borne by a command, and by a server.
_PATIENCE = 45.0
_PATIENCE_SERVING = 300.0
#: The hold on the ledger ends with its connection; this often (seconds) it is seen to.
_RENEW = 10.0


class Runtime:
    """Owns the pool, the connectors and the engine. Made by `open_runtime`."""

    def __init__(
        self, project: Project, database: Database, pool: AsyncConnectionPool, world: World,
        connectors: Mapping[str, Connector],
    ) -> None:  # fmt: skip
        self.project = project
        self.database = database
        self.world = world
        self.connectors = connectors
        self._pool = pool
        self._held: Serving | None = None
        self._renewing = asyncio.Lock()
        self.engine = Engine(world, database.uri, mend=self._mend, patience=_PATIENCE_SERVING)

    @property
    def clock(self) -> Clock:
        return self.world.clock

    async def serve(self) -> None:
        """Work until the engine is stopped. Raises StorageFailed when the ledger stays away for minutes, HomeBusy when
        it was restored meanwhile."""
        async with self._holding():
            async with self.world.transaction() as db:
                await connections.wake(db, list(self.world.actors), self.clock.now())
            await self.engine.run()

    async def until_idle(
        self, *, simulated: bool, limit: timedelta | None = None, progress: Callable[[idle.Idle], None] | None = None
    ) -> idle.Idle:
        """Read every stream once more, deliver what can be delivered, and return how the ledger stands then.

        `simulated`: time is a simulator's; when everything waits for a moment, the clock is moved there.
        """
        async with self._holding():
            return await self._until_idle(simulated, limit, progress)

    @asynccontextmanager
    async def _holding(self) -> AsyncIterator[None]:
        """No restore begins while this process works."""
        with serving(self.database) as self._held:
            renewing = asyncio.create_task(self._keep_holding())
            try:
                yield
            finally:
                renewing.cancel()
                with suppress(asyncio.CancelledError):
                    await renewing

    async def _keep_holding(self) -> None:
        while True:
            await asyncio.sleep(_RENEW)
            with suppress(StorageFailed, HomeBusy):  # whoever works meets it, and mends or ends
                await self._renew()

    async def _renew(self) -> None:
        async with self._renewing:
            if self._held is not None:
                await asyncio.to_thread(self._held.renew)

    async def _mend(self) -> None:
        """After a failure of the ledger: start an embedded server that is gone, and drop connections that are dead.

        Raises StorageFailed when it stays away, HomeBusy when a restore has begun since.
        """
        await asyncio.to_thread(self.database.revive)
        await self._renew()
        with storage_errors():
            await self._pool.check()

    async def _until_idle(
        self, simulated: bool, limit: timedelta | None, progress: Callable[[idle.Idle], None] | None
    ) -> idle.Idle:
        self.engine = Engine(
            self.world, self.database.uri, mend=self._mend, patience=_PATIENCE, turn_patience=_PATIENCE
        )
        await expire_waiting(self.world)
        started = self.clock.now()
        async with self.world.transaction() as db:
            await streams.hasten(db, list(self.world.actors), started)
            await notes.hasten(db, list(self.world.actors), started)
            await connections.wake(db, list(self.world.actors), started)
        work = asyncio.create_task(self.engine.run())
        watch = asyncio.create_task(self._watch(started, simulated, limit, progress))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if work.done() and not watch.done():
                watch.cancel()
                await work
                raise RuntimeError("the engine ended before the work did")
            return await watch
        finally:
            self.engine.stop()
            await work

    async def _watch(
        self, started: datetime, simulated: bool, limit: timedelta | None,
        progress: Callable[[idle.Idle], None] | None,
    ) -> idle.Idle:  # fmt: skip
        while True:
            await self.engine.moved(0.2)
            now = self.clock.now()
            with suppress(StorageFailed):  # the engine mends it, or gives up
                async with self.world.transaction() as db:
                    standing = await idle.standing(db, list(self.world.actors), started, now)
                if progress is not None:
                    progress(standing)
                if limit is not None and now - started > limit:
                    return standing
                if self.engine.running or standing.running:
                    continue
                if standing.pending == 0 or standing.hopeless:
                    return standing
                await self._go_on(standing, now, simulated)

    async def _go_on(self, standing: idle.Idle, now: datetime, simulated: bool) -> None:
        """Nothing runs, something is left: start what is due, or move to the moment something is."""
        if standing.next_at is None or standing.next_at <= now:
            await self.engine.wake(standing.connections)
        elif simulated and not await self.engine.queued():
            async with self.world.transaction() as db:  # a turn of another process would take the jump for a long wait
                if not await connections.hold_still(db, list(self.world.actors), now):
                    return
                await self.clock.sleep((standing.next_at - now).total_seconds())
            await self.engine.wake(standing.connections)


@asynccontextmanager
async def open_runtime(
    project: Project, database: Database, clock: Clock, settings: Mapping[str, Mapping[str, Any]], *,
    settle_on: bool = True,
) -> AsyncIterator[Runtime]:  # fmt: skip
    """Everything of a project, ready to work; the ledger's schema must be current.

    `settings`: resolved settings of each connection. Closes what it opened; the database stays open.
    """
    if crash := os.environ.get("ISTHMUS_CRASH_AT"):
        arm_from(crash)
    connectors = build_connectors(project, clock, settings)
    epoch = await asyncio.to_thread(_epoch, database)
    pool = await database.pool(min_size=1, max_size=8)
    try:
        transaction = transactions(pool)
        async with transaction() as db:
            now = clock.now()
            known = LedgerFacts(
                transaction=transaction,
                configuration=await configurations.load(db, project.digest, project.content, now),
                epoch=epoch.number,
                restored_at=epoch.restored_at,
            )
        holder = f"{socket.gethostname()}/{os.getpid()}"
        world = build_world(project, connectors, clock, known, holder=holder, settle_on=settle_on)
        async with transaction() as db:
            await _register(db, world, now)
        yield Runtime(project, database, pool, world, connectors)
    finally:
        for connector in connectors.values():
            await connector.close()
        await pool.close()


def _epoch(database: Database) -> Epoch:
    with database.connect() as connection:
        return read_epoch(connection)


async def _register(db: Db, world: World, now: datetime) -> None:
    await connections.register(db, [(actor.id, actor.system) for actor in world.actors.values()])
    for actor in world.actors.values():
        await streams.register(db, actor.id, [(key.entity, key.company) for key in actor.streams], now)


def transactions(pool: AsyncConnectionPool) -> Callable[[], Any]:
    """Opens one transaction per call; a lost database or full disk comes out as StorageFailed."""

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Db]:
        with storage_errors():
            async with pool.connection() as db, db.transaction():
                yield db

    return transaction
