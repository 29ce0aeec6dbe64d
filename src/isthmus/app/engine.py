"""The engine: procrastinate spreads turns over workers. It only says who works next; the ledger owns the truth.

Measured traps this follows (docs/decisions/002-procrastinate.md): a stalled job is finished and deferred anew, never
retried; workers are supervised because they may end silently when PostgreSQL restarts; a job whose end could not be
written is removed by the process that ran it; commit first, wake after; the tick makes a lost wake harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import procrastinate
import structlog
from procrastinate import exceptions, jobs
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from isthmus.errors import FenceLost, Halt, HomeBusy, StorageFailed
from isthmus.ledger import connections
from isthmus.ledger.heartbeat import Heartbeat
from isthmus.sync.door import Door
from isthmus.sync.run import run_turn
from isthmus.sync.turn import TurnResult
from isthmus.sync.world import World

_log = structlog.get_logger("isthmus.engine")

QUEUE = "turns"
_TICK = 0.5
_REAP = 1.0
_SWEEP = 5.0
_STALLED_AFTER = 4.0
_RESTART_PAUSE = 0.5
_CONNECT_SECONDS = 5.0
#: Turns that fail again and again for want of storage are tried this often.
_REST = 5.0
#: Running turns may go on for this long after a stop was asked for; what then is in flight is looked up later.
_GRACE = 30
#: A turn stops starting work at its bound and then awaits calls; one that takes longer than this many times both hangs.
_HANGS_AFTER = 3


async def _nothing() -> None:
    return None


class Engine:
    """Runs turns of a world's connections in this process, beside any number of other processes on the same ledger.

    `mend` brings the database back after a failure, if it can. `patience`: how long (seconds) the ledger may not answer
    before `run` gives up; `turn_patience`: how long turns may fail for want of storage (a full disk), None for ever.
    """

    def __init__(
        self,
        world: World,
        uri: str,
        *,
        concurrency: int = 10,
        mend: Callable[[], Awaitable[None]] = _nothing,
        patience: float = 300.0,
        turn_patience: float | None = None,
    ) -> None:
        self.world = world
        #: Where systems reach this installation; set by a server, for its turns to look after subscriptions.
        self.door: Door | None = None
        self.running = 0
        self.results: dict[str, TurnResult] = {}
        self.failure: Halt | None = None
        self._uri = uri
        self._concurrency = concurrency
        self._mend = mend
        self._patience: dict[str, float | None] = {"ledger": patience, "turns": turn_patience}
        self._failing: dict[str, float] = {}
        self._broken_off: set[str] = set()
        self._rest_until = 0.0
        self._mending = asyncio.Lock()
        pool = procrastinate.PsycopgConnector(conninfo=uri, min_size=1, max_size=6, timeout=_CONNECT_SECONDS)
        self._app = procrastinate.App(connector=pool)
        self._task = self._app.task(name="turn", queue=QUEUE, pass_context=True)(self._turn)
        self._worker: Worker | None = None
        self._own_workers: set[int] = set()
        self._own_jobs: set[int] = set()
        self._suspects: set[int] = set()
        self._stopping = asyncio.Event()
        self._moved = asyncio.Event()

    async def wake(self, names: Iterable[str]) -> None:
        """Queue a turn of each connection, at most one each. Call after the commit that made the work.

        Fails silently: the tick finds in the ledger whatever was not queued.
        """
        with contextlib.suppress(exceptions.ConnectorException, exceptions.AppNotOpen):
            for name in names:
                await self._defer(name)

    async def queued(self) -> int:
        """Jobs that wait or run, in all processes."""
        found = 0
        with _engine_words():
            for status in ("todo", "doing"):
                found += len(list(await self._app.job_manager.list_jobs_async(queue=QUEUE, status=status)))
        return found

    async def moved(self, timeout: float) -> None:
        """Return when a turn of this process has ended, or after `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), timeout)
        self._moved.clear()

    def stop(self) -> None:
        """Ask `run` to finish: running turns end and commit, nothing new starts."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`. Raises what made going on impossible: StorageFailed, or HomeBusy after a restore."""
        async with self._opened(), asyncio.TaskGroup() as tasks:
            beats = [
                tasks.create_task(self._every(_TICK, self._tick)),
                tasks.create_task(self._every(_REAP, self._reap)),
                tasks.create_task(self._every(_SWEEP, self._sweep)),
            ]
            try:
                with Heartbeat(self._uri, self._worker_id):
                    await self._supervise()
            finally:
                for beat in beats:
                    beat.cancel()
        if self.failure is not None:
            raise self.failure

    # the worker

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        with _engine_words():
            await self._app.open_async()
        try:
            yield
        finally:
            with contextlib.suppress(exceptions.ConnectorException):
                await self._app.close_async()

    def _worker_id(self) -> int | None:
        return self._worker.worker_id if self._worker is not None else None

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            # Its own heartbeat is the second one: beside `Heartbeat`, it notices that the database is gone.
            self._worker = worker = Worker(
                self._app,
                queues=[QUEUE],
                concurrency=self._concurrency,
                fetch_job_polling_interval=0.2,
                update_heartbeat_interval=2,
                stalled_worker_timeout=30,
                shutdown_graceful_timeout=_GRACE,
                delete_jobs="always",
                listen_notify=True,
                install_signal_handlers=False,
            )
            run: Callable[[], Coroutine[Any, Any, None]] = worker.run
            stop: Callable[[], None] = worker.stop
            working = asyncio.create_task(run())
            stopped = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            stop()
            try:
                await working
            except exceptions.ConnectorException as error:
                await self._failed("ledger", _storage(error))
            except Exception as error:  # whatever ended the worker, another one is started
                _log.warning("worker ended", reason=type(error).__name__)
            if not self._stopping.is_set():
                await asyncio.sleep(_RESTART_PAUSE)

    # turns

    async def _turn(self, context: JobContext, connection_id: str) -> None:
        if self._stopping.is_set() or connection_id not in self.world.actors:
            return
        self.running += 1
        try:
            with self._ours(context):
                await self._run(connection_id)
        finally:
            self.running -= 1
            self._moved.set()

    @contextlib.contextmanager
    def _ours(self, context: JobContext) -> Iterator[None]:
        job, worker = context.job.id or 0, context.job.worker_id
        if worker is not None:
            self._own_workers.add(worker)
        self._own_jobs.add(job)
        try:
            yield
        finally:
            self._own_jobs.discard(job)

    async def _run(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._longest(name)):
                result = await run_turn(self.world, name, self.door)
        except FenceLost:
            return  # a later turn acts already
        except HomeBusy as error:
            self._give_up(error)
            return
        except StorageFailed as error:
            self._broken_off.add(name)
            await self._failed("turns", error)
            return
        except TimeoutError:
            _log.error("turn hung and was ended", connection=name)
            self._broken_off.add(name)
            return
        except Exception:
            _log.exception("turn failed", connection=name)
            return
        self._failing.pop("turns", None)
        self.results[name] = result
        await self.wake(sorted(result.wake - {name}))
        if result.more and not self._stopping.is_set():
            await self.wake([name])

    def _longest(self, name: str) -> float:
        call = self.world.actors[name].connector.capabilities.call_timeout
        return _HANGS_AFTER * (self.world.turn_bound + call).total_seconds()

    async def _defer(self, name: str) -> None:
        lock = connections.lock_of(name)
        with contextlib.suppress(exceptions.AlreadyEnqueued):
            await self._task.configure(lock=lock, queueing_lock=lock).defer_async(connection_id=name)

    # beats

    async def _tick(self) -> None:
        """Queue what is due, and what a lost database broke off."""
        async with self.world.transaction() as db:
            due = await connections.due(db, self.world.clock.now())
        if self._failing.pop("ledger", None) is not None:
            _log.info("the ledger answers again")
            await self._mended()
        again: set[str] = set()
        if time.monotonic() >= self._rest_until:
            again, self._broken_off = self._broken_off, set()
        await self.wake(sorted(again.union(name for name in due if name in self.world.actors)))

    async def _sweep(self) -> None:
        """Wake connections whose wake was lost with the process that owed it."""
        async with self.world.transaction() as db:
            await connections.wake_forgotten(db, self.world.clock.now())

    async def _reap(self) -> None:
        """Jobs of workers that are gone, and jobs of ours that ended without a trace: finish and delete them, then let
        a new turn take over under a new fence. What a frozen worker still does for such a job, the fence stops.
        """
        manager = self._app.job_manager
        gone = list(await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=_STALLED_AFTER))
        running = await manager.list_jobs_async(queue=QUEUE, status="doing")
        lost = {job.id: job for job in running if job.worker_id in self._own_workers and job.id not in self._own_jobs}
        # A job is ours before its turn has begun and after it has ended: only one seen twice is lost.
        gone += [job for number, job in lost.items() if number in self._suspects]
        self._suspects = {number for number in lost if number is not None}
        for job in gone:
            if job.id is None:
                continue
            with contextlib.suppress(exceptions.ConnectorException):
                await manager.finish_job_by_id_async(job_id=job.id, status=jobs.Status.FAILED, delete_job=True)
            await self._defer(str(job.task_kwargs["connection_id"]))

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await action()
            except StorageFailed as error:
                await self._failed("ledger", error)
            except exceptions.ConnectorException as error:
                await self._failed("ledger", _storage(error))
            except Exception:  # the next beat may do better
                _log.exception("engine beat failed")
            await asyncio.sleep(seconds)

    # trouble

    async def _failed(self, what: str, error: StorageFailed) -> None:
        """Bear a failing database for a while: mend it if that can be done, give up when it takes too long."""
        now = time.monotonic()
        if what not in self._failing:
            _log.warning("the ledger does not answer", what=what, reason=error.message)
        since = self._failing.setdefault(what, now)
        patience = self._patience[what]
        self._rest_until = now + (_REST if now - since > _REST else 0)
        error = await self._mended() or error
        if patience is not None and time.monotonic() - since > patience:
            self._give_up(error)

    async def _mended(self) -> StorageFailed | None:
        """Mend what can be mended. The failure that is left, if one is."""
        try:
            async with self._mending:
                await self._mend()
        except HomeBusy as busy:
            self._give_up(busy)
        except StorageFailed as still:
            return still
        return None

    def _give_up(self, error: Halt) -> None:
        self.failure = self.failure or error
        self.stop()


def _storage(error: Exception) -> StorageFailed:
    return StorageFailed(
        f"The database does not answer: {type(error.__cause__ or error).__name__}.",
        hint="Is it running, reachable, writable?",
    )


@contextlib.contextmanager
def _engine_words() -> Iterator[None]:
    try:
        yield
    except exceptions.ConnectorException as error:
        raise _storage(error) from error
