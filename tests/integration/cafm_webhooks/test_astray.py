"""Three hundred events of the CAFM go astray: the end is the same as if nobody had told anything."""

from __future__ import annotations

from typing import Any

import pytest

from integration.cafm_webhooks.bench import CAFM, FINANCE, Halls, Told, told
from integration.webhooks.bench import Doorway

MONTH = 31 * 86_400
FAULTS: dict[str, list[dict[str, Any]]] = {
    "lost": [{"kind": "hook_lose", "match": {"probability": 0.6, "seed": 1}}],
    "repeated": [{"kind": "hook_repeat", "after": 2, "match": {"probability": 0.6, "seed": 2}}],
    "reordered": [{"kind": "hook_reorder", "after": 5, "seconds": 90, "match": {"probability": 0.5, "seed": 3}}],
    "late": [{"kind": "hook_delay", "seconds": 400, "match": {"probability": 0.5, "seed": 4}}],
}
FAULTS["all"] = [fault for faults in FAULTS.values() for fault in faults]


async def _busy(halls: Halls, told: Told, orders: int) -> None:
    """Orders are written, approved and sent, each is received in three parts, and work goes on all the time: ten
    events for each order."""
    for at in range(orders):
        order = await told.does(halls.order, "10")
        for part in ("2", "3", "5"):
            await told.does(halls.receive, order, part)
        await told.wait(7)
        if at % 3 == 2:
            await told.turn(CAFM)
            await told.turn(FINANCE)


async def _all_told(halls: Halls, doorway: Doorway, orders: int, faults: list[dict[str, Any]]) -> dict[str, Any]:
    async with told(halls, doorway) as listening:
        for fault in faults:
            halls.cafm.fault(**fault)
        await _busy(halls, listening, orders)
        halls.cafm.clear_faults()
        await listening.wait(1_000)  # what was late
        await listening.settle()
        [(kept, different)] = halls.ask("select count(*), count(distinct digest) from inbox")
        assert kept == different  # a repeated one was kept once
        await listening.wait(MONTH)  # what nobody told is found by the poll
        await listening.settle()
        assert halls.cafm.calls()["changes"]["user:ann"]["purchaseOrders"]["created"] == orders
        return halls.end_state()


def _as_it_must_be(orders: int) -> dict[str, Any]:
    one = {
        "status": "received",
        "told": "posted",
        "ordered": [("10", "10")],
        "receipts": ["2", "3", "5"],
        "receipts told": ["posted"] * 3,
    }
    return {f"PO-{at:06}": one for at in range(1, orders + 1)}


@pytest.mark.parametrize("faults", [name for name in FAULTS if name != "all"])
async def test_some_events_astray(halls: Halls, doorway: Doorway, faults: str) -> None:
    assert await _all_told(halls, doorway, 4, FAULTS[faults]) == _as_it_must_be(4)


@pytest.mark.slow
async def test_three_hundred_events_astray_in_every_way(halls: Halls, doorway: Doorway) -> None:
    assert await _all_told(halls, doorway, 30, FAULTS["all"]) == _as_it_must_be(30)
    counts = halls.cafm.hooks()
    assert counts["delivered"] + counts["dropped"] >= 300
    assert counts["dropped"] > 0


@pytest.mark.slow
async def test_the_same_by_polling_alone(halls: Halls) -> None:
    halls.poll_only()
    with Doorway() as nobody:
        async with told(halls, nobody) as polling:
            await _busy(halls, polling, 30)
            await polling.settle(wait=61)
            assert halls.end_state() == _as_it_must_be(30)
