"""The engine in trouble: lost rows, dead workers, frozen ones, a database that goes away. The ledger is the truth."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from integration.drills.bench import LATER, Drill
from integration.drills.cut import Cut
from isthmus.app.engine import Engine
from isthmus.app.runtime import Runtime
from isthmus.errors import StorageFailed
from isthmus.sync import points

#: Real seconds within which whatever was broken off is taken up again (engine.md: 4.3 s after a kill -9).
TAKEN_OVER = 10.0


@pytest.fixture(autouse=True)
def _quick_polls(drill: Drill) -> Iterator[None]:
    drill.edit("isthmus.yaml", "poll: 60s", "poll: 1s")
    yield
    points.disarm()


@asynccontextmanager
async def serving(drill: Drill) -> AsyncIterator[Runtime]:
    """A worker in this process, as `isthmus worker` runs it."""
    async with drill.session() as session:
        work = asyncio.create_task(session.runtime.serve())
        try:
            yield session.runtime
        finally:
            session.runtime.engine.stop()
            await work


async def happens(found: Callable[[], Any], within: float = TAKEN_OVER) -> Any:
    """The first true value; for what no event tells us of."""
    until = time.monotonic() + within
    while not (value := await asyncio.to_thread(found)):
        assert time.monotonic() < until, "it did not happen"
        await asyncio.sleep(0.05)
    return value


async def booked(drill: Drill, number: int, within: float = TAKEN_OVER) -> None:
    await happens(lambda: drill.standing().get("done") == number, within)


def execute(drill: Drill, query: str, *values: Any) -> None:
    with drill.ledger() as connection:
        connection.execute(query.encode(), values)


def once(action: Callable[[], None]) -> Callable[[], None]:
    """`action` at the first passing only."""
    left = [action]
    return lambda: left.pop()() if left else None


def _die() -> None:
    """Ends a turn as a kill does: nothing after this point happens."""
    raise asyncio.CancelledError


async def test_losing_every_row_of_the_engine_loses_nothing(drill: Drill) -> None:
    drill.add(*LATER)
    lost = 0
    ended = threading.Event()

    def lose() -> None:
        nonlocal lost
        with psycopg.connect(drill.url or "", autocommit=True) as connection:
            while not ended.wait(0.02):
                lost += connection.execute("delete from isthmus.procrastinate_jobs").rowcount

    losing = threading.Thread(target=lose)
    losing.start()
    try:
        await drill.run()
    finally:
        ended.set()
        losing.join()
    assert lost > 0
    drill.holds_the_list()


async def test_a_wake_queued_at_the_moment_of_a_kill_is_not_stuck(drill: Drill) -> None:
    """What a kill -9 leaves: a job under way of a worker that beats no more, and one queued behind its lock."""
    execute(
        drill,
        """with dead as (insert into procrastinate_workers (last_heartbeat) values (now() - interval '3 s')
                         returning id)
           insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
           select 'turns', 'turn', 'connection:finance', 'connection:finance', '{"connection_id": "finance"}',
                  s::procrastinate_job_status, case when s = 'doing' then dead.id end
             from dead, unnest(array['doing', 'todo']) as s""",
    )
    began = time.monotonic()
    async with serving(drill):
        await booked(drill, 3)
    assert time.monotonic() - began < TAKEN_OVER
    drill.holds_the_list()


async def test_a_job_whose_end_was_not_written_does_not_block_its_connection(drill: Drill) -> None:
    """Its worker lives and beats, so nobody else would ever take it for stalled."""
    async with serving(drill):
        await booked(drill, 3)
        await happens(lambda: not drill.ask("select 1 from procrastinate_jobs where lock = 'connection:maintenance'"))
        execute(
            drill,
            """insert into procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id)
               select 'turns', 'turn', 'connection:maintenance', '{"connection_id": "maintenance"}', 'doing', max(id)
                 from procrastinate_workers""",
        )
        drill.add(*LATER)
        await booked(drill, 6)
    drill.holds_the_list()


@pytest.mark.slow
async def test_work_whose_wake_died_with_its_process_is_found(drill: Drill) -> None:
    """A page commits its messages and then wakes the target; a kill in between must not make them wait for the
    target's next poll, which may be tomorrow."""
    drill.edit("isthmus.yaml", "system: business_central", "system: business_central\n    poll: 3h")
    async with serving(drill):
        await booked(drill, 3)
    points.arm("after_page", once(_die))
    async with serving(drill):
        drill.add(LATER[0])
        await booked(drill, 4)
    drill.holds_the_list()


async def test_a_turn_of_a_worker_thought_dead_commits_nothing(drill: Drill) -> None:
    """Its successor has begun: what it still does is given up, and the successor looks up what it had sent."""
    overtaken: list[str] = []

    def overtake() -> None:
        execute(
            drill,
            "update connection set fence = fence + 1, turn_started_at = null, next_due = now() where id = 'finance'",
        )
        overtaken.append(drill.ask("select state from message where amount > 0 limit 1")[0][0])

    points.arm("before_confirm", once(overtake))
    await drill.run()
    assert overtaken == ["sending"]
    assert drill.ask("select count(*) from attempt where step = 'look up' and outcome = 'done'") == [(3,)]
    drill.holds_the_list()


async def test_a_stop_lets_running_turns_finish_and_commit(drill: Drill) -> None:
    drill.box.fault("latency", seconds=1.5, match={"action": "post"})
    async with serving(drill) as runtime:
        await happens(lambda: drill.standing().get("sending"))
        runtime.engine.stop()
    assert drill.standing() == {"done": 3, "skipped": 1}
    assert drill.ask("select count(*) from procrastinate_workers") == [(0,)]
    assert drill.ask("select count(*) from procrastinate_jobs where status = 'doing'") == [(0,)]
    drill.holds_the_list()


async def test_a_busy_loop_does_not_look_like_death(drill: Drill) -> None:
    """A page may keep Python busy; the heartbeat has a thread of its own."""
    ages: list[float] = []

    def busy() -> None:
        until = time.monotonic() + 3.5
        with psycopg.connect(drill.url or "", autocommit=True) as connection:
            while time.monotonic() < until:
                row = connection.execute(
                    "select extract(epoch from now() - max(last_heartbeat)) from isthmus.procrastinate_workers"
                ).fetchone()
                ages.append(float(row[0]) if row else 0.0)

    points.arm("before_page", once(busy))
    await drill.run()
    assert max(ages) < 2.5


async def test_a_turn_that_hangs_is_ended_and_taken_up_again(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_longest", lambda *_: 1.0)
    drill.box.fault("latency", seconds=3, match={"entity": "dimensions"}, times=1)
    await drill.run()
    drill.holds_the_list()


@pytest.fixture
def cut(drill: Drill) -> Iterator[Cut]:
    """The drill's database behind a proxy; the drill itself looks at it directly."""
    assert drill.url is not None
    cut = Cut(drill.url)
    cut.open()
    drill.environment["DATABASE_URL"] = cut.url
    yield cut
    cut.end()


async def test_a_database_that_goes_away_and_comes_back_is_worked_on_again(drill: Drill, cut: Cut) -> None:
    async with serving(drill) as runtime:
        await booked(drill, 3)
        cut.cut()
        drill.add(*LATER)
        await asyncio.sleep(1.5)  # several beats fail
        assert runtime.engine.failure is None
        cut.open()
        await booked(drill, 6, within=30)
        held = "select 1 from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and database = (%s)"
        this = "select oid from pg_database where datname = current_database()"
        assert drill.ask(held.replace("%s", this))  # no restore may begin
    assert runtime.engine.failure is None
    drill.holds_the_list()


@pytest.mark.slow
async def test_a_database_that_stays_away_is_given_up_with_words(
    drill: Drill, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.app.runtime._PATIENCE_SERVING", 1.0)

    async def work() -> None:
        async with serving(drill) as runtime:
            await booked(drill, 3)
            cut.cut()
            await happens(lambda: runtime.engine.failure is not None)

    with pytest.raises(StorageFailed, match="does not answer"):
        await work()
