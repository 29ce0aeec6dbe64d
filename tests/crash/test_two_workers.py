"""Two processes on one ledger: at once, one after the other's death, and one that wakes up after it was given up."""

from __future__ import annotations

import signal

from crash.worker import Worker, check, journals, rows
from integration.work_order_costs.bench import Mine


def small_journals(mine: Mine) -> None:
    mine.edit("isthmus.yaml", "    environment: sandbox\n", "    environment: sandbox\n    documents_per_journal: 10\n")


async def test_two_at_once_book_everything_once(mine: Mine) -> None:
    small_journals(mine)
    mine.save(*rows(120, seed=6))
    mine.box.fault("late_commit", seconds=30, match={"action": "post", "nth": 3})
    with Worker(mine) as one, Worker(mine) as two:
        assert (one.ends(), two.ends()) == (0, 0), one.output + two.output
    mine.box.advance(3600)
    check(mine)
    assert journals(mine) == 0


async def test_a_frozen_worker_cannot_commit_over_its_successor(mine: Mine) -> None:
    """It is stopped within a call, taken for dead, and goes on when its successor has finished the work."""
    small_journals(mine)
    mine.save(*rows(60, seed=7))
    mine.box.fault("latency", seconds=2, match={"action": "post"}, times=1)
    with Worker(mine) as frozen:
        assert frozen.until(lambda: posting(mine) > 0)
        frozen.send(signal.SIGSTOP)
        fence = fence_of(mine)
        assert frozen.until(lambda: mine.books()["documents"] > 0)  # its call took effect; its answer waits for it
        interrupted = {row.id for row in mine.messages("state = 'sending'")}
        assert len(interrupted) >= 10
        await mine.run()  # the engine takes over after some seconds without a heartbeat
        check(mine)
        successor, messages, attempts = fence_of(mine), mine.messages(), attempts_of(mine)
        assert successor > fence
        frozen.send(signal.SIGCONT)
        assert frozen.ends() == 0, frozen.output
    check(mine)
    assert mine.messages() == messages
    assert attempts_of(mine) == attempts
    assert all(by > fence for message, by, _ in attempts if message in interrupted)
    assert journals(mine) == 0


def posting(mine: Mine) -> int:
    calls = mine.box.calls()["by_path"]
    return sum(count for name, count in calls.items() if name.endswith("Microsoft.NAV.post"))


def fence_of(mine: Mine) -> int:
    return int(mine.ask("select fence from connection where id = 'finance'")[0][0])


def attempts_of(mine: Mine) -> list[tuple[int, int, str]]:
    return [(m, f, o) for m, f, o in mine.ask("select message_id, fence, outcome from attempt order by id")]


async def test_a_worker_frozen_within_a_commit_does_not_hold_up_its_successor(mine: Mine) -> None:
    """It stands still with locks in its hands; the server takes them from it."""
    small_journals(mine)
    mine.save(*rows(30, seed=8))
    async with mine.session():
        pass  # the schema is there
    with Worker(mine) as frozen:
        with mine.ledger() as connection:
            connection.execute("lock table attempt in access exclusive mode")  # what it writes within its commit
            assert frozen.until(lambda: blocked(mine))
            frozen.send(signal.SIGSTOP)
        await mine.run()
        check(mine)
        messages = mine.messages()
        frozen.send(signal.SIGCONT)
        assert frozen.ends() == 0, frozen.output
    assert mine.messages() == messages
    check(mine)


def blocked(mine: Mine) -> bool:
    query = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return bool(mine.ask(query))
