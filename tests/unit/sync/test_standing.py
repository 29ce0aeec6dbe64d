"""Where a record stands, and under which key its next document goes: two documents never share a key by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from isthmus.ledger.messages import CHANGED_IN_FLIGHT
from isthmus.sync.standing import booked, correction, countering, flying, slot

Row = tuple[Any, ...]
FIRST: Row = (1, "done", "K")
CHANGE: Row = (2, "cancelled", "K:change:1")
COUNTER: Row = (3, "done", "K:correct:1:counter")
NEW: Row = (4, "done", "K:correct:1")
DIFFERENCE: Row = (3, "done", "K:correct:1:difference")


def in_state(row: Row, state: str) -> Row:
    return row[0], state, row[2]


@pytest.mark.parametrize(
    ("rows", "stands", "under_way", "key"),
    [
        pytest.param([], None, None, "K", id="nothing yet"),
        pytest.param([in_state(FIRST, "dead")], None, None, "K", id="refused"),
        pytest.param([in_state(FIRST, "skipped")], None, None, "K", id="nothing to post"),
        pytest.param([FIRST], 1, None, "K", id="booked"),
        pytest.param([in_state(FIRST, "saved")], 1, None, "K", id="saved"),
        pytest.param([FIRST, in_state(CHANGE, "held")], 1, None, "K", id="change held"),
        pytest.param([FIRST, CHANGE, in_state(COUNTER, "ready")], 1, 3, "K:correct:1", id="counter to go"),
        pytest.param([FIRST, CHANGE, in_state(COUNTER, "dead")], 1, 3, "K:correct:1", id="counter refused"),
        pytest.param([FIRST, CHANGE, in_state(COUNTER, "uncertain")], 1, 3, "K:correct:1", id="counter in flight"),
        pytest.param([FIRST, CHANGE, in_state(COUNTER, "skipped")], 1, None, "K", id="counter skipped"),
        pytest.param([FIRST, CHANGE, COUNTER], None, None, "K:correct:1", id="countered to nothing"),
        pytest.param([FIRST, CHANGE, COUNTER, in_state(NEW, "dead")], None, None, "K:correct:1", id="new one refused"),
        pytest.param([FIRST, CHANGE, COUNTER, in_state(NEW, "skipped")], None, None, "K:correct:1", id="new one empty"),
        pytest.param([FIRST, CHANGE, COUNTER, NEW], 4, None, "K", id="corrected"),
        pytest.param([FIRST, CHANGE, in_state(DIFFERENCE, "dead")], 1, None, "K", id="difference refused"),
        pytest.param([FIRST, CHANGE, DIFFERENCE], 3, None, "K", id="corrected by the difference"),
        pytest.param([(1, "cancelled", "K:0")], None, None, "K", id="an earlier occurrence cancelled"),
    ],
)
def test_standing(
    a_message: Callable[..., Any], rows: list[Row], stands: int | None, under_way: int | None, key: str
) -> None:
    earlier = [a_message(*row) for row in rows]
    found, counter = booked(earlier), countering(earlier)
    assert (found.id if found else None) == stands
    assert (counter.id if counter else None) == under_way
    assert slot("K", earlier) == key


@pytest.mark.parametrize("state", ["sending", "uncertain"])
def test_in_flight(a_message: Callable[..., Any], state: Any) -> None:
    sent = a_message(1, state)
    put_off = a_message(2, "waiting", "K:change:1", code=CHANGED_IN_FLIGHT)
    assert flying([sent]) is sent
    assert flying([sent, put_off]) is sent
    assert flying([a_message(1, "done"), put_off]) is None
    assert flying([]) is None


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("K", ("K", 1)),
        ("K:correct:1", ("K", 2)),
        ("K:correct:12", ("K", 13)),
        ("K:correct:2:difference", ("K", 3)),
        ("K:correct:x", ("K:correct:x", 1)),
    ],
)
def test_corrections_are_counted_and_not_named_after_messages(key: str, found: tuple[str, int]) -> None:
    assert correction(key) == found
