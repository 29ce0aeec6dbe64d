"""The engine: procrastinate spreads turns over workers. It only says who works next; the ledger owns the truth.

Measured traps this follows (docs/decisions/002-procrastinate.md): a stalled job is finished and deferred anew, never
retried; workers are supervised because they may end silently when PostgreSQL restarts; commit first, wake after; the
tick makes a lost wake harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import procrastinate
import structlog
from procrastinate import exceptions, jobs

from isthmus.errors import StorageFailed
from isthmus.ledger import connections
from isthmus.sync.run import run_turn
from isthmus.sync.turn import TurnResult
from isthmus.sync.world import World

_log = structlog.get_logger("isthmus.engine")

QUEUE = "turns"
_TICK = 0.5
_REAP = 1.0
_STALLED_AFTER = 4.0
_RESTART_PAUSE = 0.5


class Engine:
    """Runs turns of a world's connections in this process, beside any number of other processes on the same ledger."""

    def __init__(self, world: World, uri: str, *, concurrency: int = 10) -> None:
        self.world = world
        self.running = 0
        self.results: dict[str, TurnResult] = {}
        self._concurrency = concurrency
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=uri, min_size=1, max_size=6))
        self._task = self._app.task(name="turn", queue=QUEUE, pass_context=False)(self._turn)
        self._stopping = asyncio.Event()
        self._moved = asyncio.Event()
        self.failure: Exception | None = None

    async def wake(self, names: Iterable[str]) -> None:
        """Queue a turn of each connection, at most one each. Call after the commit that made the work."""
        for name in names:
            await self._defer(name)

    async def queued(self) -> int:
        """Jobs that wait or run, in all processes."""
        return len(list(await self._app.job_manager.list_jobs_async(queue=QUEUE, status="todo"))) + len(
            list(await self._app.job_manager.list_jobs_async(queue=QUEUE, status="doing"))
        )

    async def moved(self, timeout: float) -> None:
        """Return when a turn of this process has ended, or after `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), timeout)
        self._moved.clear()

    def stop(self) -> None:
        """Ask `run` to finish: running turns end and commit, nothing new starts."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`. Raises what made going on impossible (StorageFailed)."""
        async with self._app.open_async(), asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self._every(_TICK, self._tick)),
                tasks.create_task(self._every(_REAP, self._reap)),
            ]
            try:
                await self._supervise()
            finally:
                for helper in helpers:
                    helper.cancel()
        if self.failure is not None:
            raise self.failure

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            worker = asyncio.create_task(
                self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    fetch_job_polling_interval=0.2,
                    update_heartbeat_interval=1,
                    stalled_worker_timeout=30,
                    shutdown_graceful_timeout=30,
                    delete_jobs="always",
                    listen_notify=True,
                    install_signal_handlers=False,
                    wait=True,
                )
            )
            stopped = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not worker.done():
                worker.cancel()
            try:
                await worker
            except asyncio.CancelledError:
                pass
            except Exception as error:  # whatever ended the worker, it is started again
                _log.warning("worker ended", reason=type(error).__name__)
            if not self._stopping.is_set():
                await asyncio.sleep(_RESTART_PAUSE)

    async def _turn(self, connection_id: str) -> None:
        if self._stopping.is_set() or connection_id not in self.world.actors:
            return
        self.running += 1
        try:
            result = await run_turn(self.world, connection_id)
            self.results[connection_id] = result
            await self.wake(sorted(result.wake - {connection_id}))
            if result.more and not self._stopping.is_set():
                await self._defer(connection_id)
        except StorageFailed as error:
            self.failure = error
            self.stop()
        finally:
            self.running -= 1
            self._moved.set()

    async def _defer(self, name: str) -> None:
        lock = f"connection:{name}"
        with contextlib.suppress(exceptions.AlreadyEnqueued):
            await self._task.configure(lock=lock, queueing_lock=lock).defer_async(connection_id=name)

    async def _tick(self) -> None:
        async with self.world.transaction() as db:
            due = await connections.due(db, self.world.clock.now())
        await self.wake(name for name in due if name in self.world.actors)

    async def _reap(self) -> None:
        """Jobs of workers that are gone: finish and delete them, then let a new turn take over under a new fence."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=_STALLED_AFTER):
            if job.id is None:
                continue
            with contextlib.suppress(exceptions.ConnectorException):
                await manager.finish_job_by_id_async(job_id=job.id, status=jobs.Status.FAILED, delete_job=True)
            await self._defer(str(job.task_kwargs["connection_id"]))

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await action()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # a lost database is met again by the next beat
                _log.warning("engine beat failed", reason=type(error).__name__)
            await asyncio.sleep(seconds)
