"""The published purchasing data: 4,012 orders and what came of them. One test, so that it is read once."""

from __future__ import annotations

from decimal import Decimal

from integration.adventureworks.bench import SENT, Bikes, check, worth


async def test_the_published_orders_and_receipts(published: Bikes) -> None:
    files = published.files
    sent = files.of(*SENT)
    # what the files are known to say, so that a wrong copy is told
    assert (len(files.orders), len(files.lines), worth(files.lines)) == (4012, 8845, Decimal("63791994.8380"))
    assert (len({line["PurchaseOrderID"] for line in sent}), len(sent), worth(sent)) == (
        3701, 8226, Decimal("58984395.4495"),
    )  # fmt: skip
    await published.turns(2)
    await check(published)
    assert await published.total("purchase_order") == Decimal("63791994.838")
    assert sum((sum(lines.values()) for lines in published.received().values()), Decimal(0)) == Decimal(2131571)
    assert await published.standing() == {
        ("done", ""): 3701,
        ("waiting", "order_pending"): 225,
        ("skipped", "order_called_off"): 86,
    }
    documents = len(published.finance.posted("receipt"))
    await published.turns(1)
    assert len(published.finance.posted("receipt")) == documents == 3701
    assert (await published.changes("purchase_order"), await published.changes("receipt")) == (0, 0)
