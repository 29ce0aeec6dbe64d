"""What one principal may do at once and in five minutes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from isthmus.sandbox.server import Sandbox


async def running(box: Sandbox, count: int) -> None:
    """Wait until so many calls are under way or queued."""
    while await asyncio.to_thread(lambda: box.calls()["max_concurrent"]) < count:
        await asyncio.sleep(0.01)


async def test_the_window_slides_with_the_sandbox_clock(box: Sandbox, bc: Any) -> None:
    box.set(requests_per_window=5)  # the fixture made one request
    box.reset_calls()
    for _ in range(4):
        assert (await bc.get("/companies")).status == 200
    box.advance(200)
    answer = await bc.get("/companies")
    assert (answer.status, answer.code) == (429, "Application_TooManyRequests")
    assert answer.text == "Too many requests reached. Actual (6). Maximum (5)."
    assert 1 <= int(answer.headers["retry-after"]) <= 101
    assert box.calls()["busiest_window"] == 5
    box.advance(101)
    assert (await bc.get("/companies")).status == 200


async def test_whether_429_names_its_time_is_a_switch(box: Sandbox, bc: Any) -> None:
    box.set(requests_per_window=1, retry_after="none")
    answer = await bc.get("/companies")
    assert answer.status == 429
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(("counts", "status"), [("one", 200), ("each", 429)])
async def test_what_a_batch_counts_is_a_switch(box: Sandbox, bc: Any, counts: str, status: int) -> None:
    box.set(requests_per_window=10, batch_counts=counts)
    parts = [bc.part("GET", "accounts?$top=1") for _ in range(20)]
    assert (await bc.batch(*parts)).status == status


async def test_principals_are_limited_apart(box: Sandbox, bc: Any, reader: Any) -> None:
    box.set(requests_per_window=1)
    assert (await bc.get("/companies")).status == 429
    assert (await reader.get("/companies")).status == 200


async def test_five_run_and_the_rest_waits(box: Sandbox, bc: Any) -> None:
    box.fault("latency", seconds=0.1)
    loop = asyncio.get_running_loop()
    started = loop.time()
    answers = await asyncio.gather(*(bc.get("accounts?$top=1") for _ in range(15)))
    assert {answer.status for answer in answers} == {200}
    assert loop.time() - started >= 0.3  # three rounds of five
    assert box.calls()["max_concurrent"] > 5


async def test_beyond_the_queue_is_429(box: Sandbox, bc: Any) -> None:
    box.set(concurrent=1, queued=2)
    box.fault("latency", seconds=0.3, match={"entity": "accounts"})
    first = [asyncio.create_task(bc.get("accounts?$top=1")) for _ in range(3)]
    await running(box, 3)
    answer = await bc.get("accounts?$top=1")
    assert (answer.status, answer.text) == (429, "Too many requests reached. Actual (4). Maximum (3).")
    assert {answer.status for answer in await asyncio.gather(*first)} == {200}


async def test_a_request_that_queued_for_eight_minutes_is_given_up(box: Sandbox, bc: Any) -> None:
    box.set(concurrent=1)
    box.fault("latency", seconds=2, match={"entity": "accounts"})
    first = asyncio.create_task(bc.get("accounts?$top=1"))
    await running(box, 1)
    queued = asyncio.create_task(bc.post("journals", {"code": "NEVER"}))
    await running(box, 2)
    await asyncio.to_thread(box.advance, 481)
    answer = await queued
    assert (answer.status, "retry-after" in answer.headers) == (503, True)
    assert (await first).status == 200
    box.clear_faults()
    assert (await bc.get("journals?$filter=code eq 'NEVER'")).value == []


async def test_a_slot_is_free_again_after_every_kind_of_end(box: Sandbox, bc: Any) -> None:
    box.set(concurrent=1, queued=0)
    box.fault("lose_before", times=1, match={"method": "POST"})
    box.fault("status", code=503, times=1, match={"method": "POST"})
    with pytest.raises(Exception, match=r"disconnected|reset"):
        await bc.post("journals", {"code": "A"})
    assert (await bc.post("journals", {"code": "A"})).status == 503
    assert (await bc.post("journals", {"code": "TOO LONG FOR IT"})).status == 400
    assert (await bc.post("journals", {"code": "A"})).status == 201
