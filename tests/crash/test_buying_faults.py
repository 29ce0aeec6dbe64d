"""Orders and receipts in a service that throttles, fails, loses answers and commits late, with kill -9 and without."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crash.bought import Bought, check, end_state
from crash.buyer import Buyer
from crash.conftest import Untroubled
from crash.test_kills import finished, killed
from crash.worker import Worker
from integration.work_order_costs.bench import PUBLISHED
from isthmus.ledger.database import Database

Rule = tuple[str, dict[str, Any], dict[str, Any]]


def trouble(buyer: Buyer, seed: int, more: float = 1) -> None:
    """Some 5 % of the calls refused, 1 % of the answers lost, what is sent by batch or posted takes effect half a
    minute after it was cut off; `more` times as much of it."""
    rules: tuple[Rule, ...] = (
        ("status", {"code": 429, "retry_after": 2}, {"probability": 0.025 * more}),
        ("status", {"code": 503}, {"probability": 0.025 * more}),
        ("status", {"code": 503}, {"action": "receiveAndInvoice", "probability": 0.02 * more}),
        ("lose_after", {}, {"probability": 0.005 * more}),
        ("lose_before", {}, {"probability": 0.005 * more}),
        ("late_commit", {"seconds": 30}, {"action": "receiveAndInvoice", "probability": 0.05 * more}),
        ("late_commit", {"seconds": 30}, {"entity": "$batch", "probability": 0.03 * more}),
    )
    for at, (kind, parameters, match) in enumerate(rules):
        buyer.box.fault(kind, match=match | {"seed": 100 * seed + at}, **parameters)


async def over(buyer: Buyer) -> None:
    """Run until nothing is left to do and nothing is still to come."""
    await buyer.run()
    buyer.box.clear_faults()
    buyer.box.advance(3600)


@pytest.mark.parametrize("seed", [1, 3])
async def test_a_troubled_service(buyer: Buyer, untroubled: Untroubled, seed: int) -> None:
    buyer.order_goods(60, 1)
    trouble(buyer, seed, more=2)
    await over(buyer)
    check(buyer)
    assert end_state(buyer) == await untroubled(60, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 13))
async def test_a_service_in_deep_trouble(buyer: Buyer, untroubled: Untroubled, seed: int) -> None:
    buyer.order_goods(60, 1)
    trouble(buyer, seed, more=4)
    await over(buyer)
    check(buyer)
    assert end_state(buyer) == await untroubled(60, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(31, 37))
async def test_many_orders_in_a_troubled_service(buyer: Buyer, untroubled: Untroubled, seed: int) -> None:
    buyer.order_goods(400, 3)
    trouble(buyer, seed)
    await over(buyer)
    check(buyer)
    assert end_state(buyer) == await untroubled(400, 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(41, 44))
async def test_killed_ten_times_in_a_troubled_service(buyer: Buyer, untroubled: Untroubled, seed: int) -> None:
    buyer.order_goods(400, 3)
    trouble(buyer, seed)
    assert killed(buyer, times=10, seed=seed, stride=40) >= 5
    finished(buyer, within=300)
    check(buyer)
    assert end_state(buyer) == await untroubled(400, 3)


async def test_killed_while_receipts_are_posted(buyer: Buyer, untroubled: Untroubled) -> None:
    """The posting it had begun goes on without it and takes effect."""
    buyer.order_goods(60, 1)
    buyer.box.fault("latency", seconds=0.5, match={"action": "receiveAndInvoice", "nth": 1})
    with Worker(buyer) as worker:
        assert worker.until(lambda: _posting(buyer) > 0)
    limit = time.monotonic() + 30
    while not _receipts(buyer):
        assert time.monotonic() < limit, "the posting took no effect"
        time.sleep(0.05)
    assert buyer.messages("entity = 'receipt' and state = 'sending'")
    buyer.ask_engine_to_forget()
    await buyer.run()
    check(buyer)
    assert end_state(buyer) == await untroubled(60, 1)


def _posting(buyer: Buyer) -> int:
    calls = buyer.box.calls()["parts_by_path"]
    return sum(count for name, count in calls.items() if name.endswith("receiveAndInvoice"))


def _receipts(buyer: Buyer) -> int:
    return sum(int(one["rows"]["purchaseReceipts"]) for one in buyer.box.state()["companies"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    not (PUBLISHED / "adventureworks").is_dir(), reason="the published files are not beside this checkout"
)
async def test_the_published_orders_survive_ten_kills(tmp_path: Path, database: Database) -> None:
    buyer = Buyer(tmp_path / "published", database.uri, PUBLISHED)
    try:
        trouble(buyer, 51)
        assert killed(buyer, times=10, seed=51, stride=120) == 10
        finished(buyer, within=1500)
        check(buyer)
        bought = Bought(buyer)
        worth = sum((q * price * n for o in bought.orders for (_, q, price), n in o.ordered.items()), Decimal(0))
        assert (len(bought.orders), worth) == (3701, Decimal("58984395.4495"))
        assert (len(bought.receipts), _accepted(bought)) == (3701, 2131571)
        assert buyer.standing() == {"done": 2 * 3701, "skipped": 86, "waiting": 225}
    finally:
        buyer.stop()


def _accepted(bought: Bought) -> Decimal:
    lines = (line for receipts in bought.receipts.values() for receipt in receipts for line in receipt.items())
    return sum((quantity * times for (_, quantity), times in lines), Decimal(0))
