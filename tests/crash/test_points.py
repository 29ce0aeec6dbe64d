"""The process kills itself at each commit that matters. After a new start the end is that of an untroubled run."""

from __future__ import annotations

import signal

import pytest

from crash.worker import Worker, check, end_state, journals, rows
from integration.work_order_costs.bench import Mine
from isthmus.sync.points import POINTS

#: point -> which passing of it
AT = {
    "before_intent": 2,
    "after_intent": 3,
    "after_call": 2,
    "before_confirm": 2,
    "after_confirm": 3,
    "before_page": 5,
    "after_page": 5,
    "after_fence": 3,
    "before_look_up": 1,
    "after_look_up": 1,
    "after_note": 1,
}


def test_every_point_is_tried() -> None:
    assert {*AT, "after_hook"} == set(POINTS)  # hooks are in test_hooks.py


@pytest.mark.parametrize(("point", "nth"), AT.items())
async def test_killed_at(mine: Mine, point: str, nth: int) -> None:
    mine.edit("isthmus.yaml", "    environment: sandbox\n", "    environment: sandbox\n    documents_per_journal: 10\n")
    mine.save(*rows(60, seed=1))
    if point.endswith("look_up"):
        mine.box.fault("lose_after", match={"action": "post", "nth": 2})
    with Worker(mine, ISTHMUS_CRASH_AT=f"{point}:{nth}") as worker:
        assert worker.ends() == -signal.SIGKILL, worker.output
    mine.ask_engine_to_forget()
    await mine.run()
    check(mine)
    state = end_state(mine)
    assert state["untold"] == [(0,)]
    assert len(state["told"]) == 60
    assert journals(mine) == 0
