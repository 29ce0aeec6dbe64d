"""The budget of a connection: sliding window, places, pauses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.connectors._http.budget import Budget
from isthmus.contract.clock import DrivenClock
from isthmus.contract.connector import Traffic
from isthmus.errors import Retry

START = datetime(2026, 1, 1, tzinfo=UTC)


def budget(clock: DrivenClock, traffic: Traffic, quota: int = 10, seconds: int = 60) -> Budget:
    return Budget(clock, traffic, concurrency=3, quota=quota, window=timedelta(seconds=seconds))


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 40)), max_size=40))
@settings(max_examples=200)
def test_no_sliding_window_ever_holds_more_than_the_quota(calls: list[tuple[int, int]]) -> None:
    clock, traffic = DrivenClock(START), Traffic()
    under_test = budget(clock, traffic)
    spent: list[tuple[datetime, int]] = []

    async def run() -> None:
        for weight, pause in calls:
            clock.advance(pause)
            async with under_test.slot(weight, patience=1000):
                spent.append((clock.now(), min(weight, 10)))

    asyncio.run(run())
    for moment, _ in spent:
        window = [count for when, count in spent if moment - timedelta(seconds=60) < when <= moment]
        assert sum(window) <= 10


async def test_waiting_is_counted_and_only_as_long_as_needed() -> None:
    clock, traffic = DrivenClock(START), Traffic()
    under_test = budget(clock, traffic)
    async with under_test.slot(10, patience=100):
        pass
    clock.advance(20)
    async with under_test.slot(1, patience=100):
        pass
    assert traffic.waited_seconds == pytest.approx(40)


async def test_a_wait_beyond_patience_is_the_callers_to_take() -> None:
    clock = DrivenClock(START)
    under_test = budget(clock, Traffic())
    under_test.pause(90)
    with pytest.raises(Retry) as caught:
        async with under_test.slot(1, patience=60):
            pass
    assert caught.value.after == pytest.approx(90)
    assert clock.now() == START


async def test_no_more_at_once_than_places() -> None:
    under_test = budget(DrivenClock(START), Traffic(), quota=1000)
    at_once, most = 0, 0

    async def call() -> None:
        nonlocal at_once, most
        async with under_test.slot(1, patience=0):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    clock = DrivenClock(START)
    under_test = budget(clock, Traffic())
    under_test.pause(30)
    under_test.pause(5)
    assert under_test.wait_for(1) == pytest.approx(30)
