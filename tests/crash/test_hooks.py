"""A webhook is kept before it is answered: what is killed in between is not lost."""

from __future__ import annotations

import signal

from crash.worker import Worker
from integration.work_order_costs.bench import Mine


async def test_killed_between_keeping_a_hint_and_answering(mine: Mine) -> None:
    mine.save()
    with Worker(mine, "maintenance", ISTHMUS_CRASH_AT="after_hook") as worker:
        assert worker.ends() == -signal.SIGKILL, worker.output
        assert "202" not in worker.output
    assert mine.ask("select connection, taken_at from inbox") == [("maintenance", None)]
    await mine.run()
    assert mine.ask("select count(*) from inbox where taken_at is null") == [(0,)]
    assert mine.standing()["done"] == 53
