"""Orders and receipts, killed at each commit that matters. After a new start the end is that of an untroubled run."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crash.bought import check, end_state
from crash.buyer import Buyer
from crash.worker import Worker
from isthmus.sync.points import POINTS

#: The orders are one call; their receipts are two, of several requests each.
ORDERS, SEED = 60, 1
ORDERS_LOST = {"kind": "lose_after", "match": {"entity": "$batch", "nth": 1}}
RECEIPTS_LOST = {"kind": "lose_after", "match": {"action": "receiveAndInvoice", "nth": 1}}
ORDERS_LATE = {**ORDERS_LOST, "kind": "late_commit", "seconds": 30}
RECEIPTS_LATE = {**RECEIPTS_LOST, "kind": "late_commit", "seconds": 30}

#: point, which passing of it, what went wrong before
FAST: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("after_intent", 1, {}),
    ("after_call", 1, {}),
    ("after_call", 3, {}),
    ("after_confirm", 1, {}),
    ("before_look_up", 1, ORDERS_LOST),
    ("after_look_up", 1, RECEIPTS_LOST),
)
SLOW: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("before_confirm", 2, {}),
    ("after_intent", 2, {}),
    *(("before_intent", nth, {}) for nth in (1, 2, 3)),
    ("after_intent", 3, {}),
    ("after_call", 2, {}),
    ("before_confirm", 1, {}),
    ("before_confirm", 3, {}),
    ("after_confirm", 2, {}),
    ("after_confirm", 3, {}),
    *((point, nth, {}) for point in ("before_page", "after_page") for nth in (1, 4, 7, 8, 9)),
    *(("after_fence", nth, {}) for nth in (1, 2, 3, 5)),
    ("before_look_up", 1, RECEIPTS_LOST),
    ("before_look_up", 2, RECEIPTS_LATE),
    ("after_look_up", 1, ORDERS_LOST),
    ("after_look_up", 2, ORDERS_LATE),
    ("after_note", 1, {}),
    ("after_note", 2, {}),
)


def test_every_point_is_tried() -> None:
    assert {*(point for point, _, _ in (*FAST, *SLOW)), "after_hook"} == set(POINTS)  # hooks are in test_hooks.py


@pytest.mark.parametrize(
    ("point", "nth", "fault"), [*FAST, *(pytest.param(*one, marks=pytest.mark.slow) for one in SLOW)]
)
async def test_killed_at(
    buyer: Buyer,
    untroubled: Callable[[int, int], Awaitable[dict[str, Any]]],
    point: str,
    nth: int,
    fault: dict[str, Any],
) -> None:
    buyer.order_goods(ORDERS, SEED)
    if fault:
        buyer.box.fault(**fault)
    with Worker(buyer, ISTHMUS_CRASH_AT=f"{point}:{nth}") as worker:
        assert worker.ends() == -signal.SIGKILL, worker.output
    buyer.ask_engine_to_forget()
    await buyer.run()
    check(buyer)
    assert end_state(buyer) == await untroubled(ORDERS, SEED)
