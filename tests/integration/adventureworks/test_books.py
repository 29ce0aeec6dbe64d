"""The sample all the way into the simulated Business Central: its own count is what is looked at."""

from __future__ import annotations

from decimal import Decimal

from integration.adventureworks.bench import SENT
from integration.adventureworks.shop import COMPANY, Shop


def expected(shop: Shop) -> dict[str, dict[str, Decimal]]:
    """Order -> item -> accepted, of orders that are sent, worked out from the files alone."""
    found: dict[str, dict[str, Decimal]] = {}
    for line in shop.files.of(*SENT):
        items = found.setdefault(line["PurchaseOrderID"], {})
        item = shop.files.products[line["ProductID"]]["ProductNumber"]
        items[item] = items.get(item, Decimal(0)) + Decimal(line["StockedQty"])
    return found


async def test_orders_and_receipts_land_in_business_central_once(shop: Shop) -> None:
    await shop.run()
    assert {number: shop.received(number) for number in expected(shop)} == expected(shop)
    lines = [line for line in shop.order("5")["lines"] if line["item"]]
    assert [(line["item"], line["ordered"], line["received"]) for line in lines] == [
        ("BB-0060", "1000", "550"), ("BB-0060", "500", "500"),
    ]  # fmt: skip
    assert shop.standing() == {"done": 9, "skipped": 3, "waiting": 1}
    assert shop.received("7") == {"SD-7001": Decimal(6)}  # the vendor is blocked for payment, not for goods
    assert shop.order("8")["receipts"] == []
    shop.box.reset_calls()
    await shop.run()
    assert shop.written() == 0
    stock = shop.box.stock(COMPANY)["items"]
    assert sum(Decimal(places.get("", "0")) for places in stock.values()) == 1100  # orders name no location
    assert sum(Decimal(quantity) for places in stock.values() for quantity in places.values()) == 1540 + 1100


async def test_more_that_came_is_received_and_goods_taken_back_need_an_open_order(shop: Shop) -> None:
    await shop.run()
    number = shop.order("4")["number"]
    shop.change("PurchaseOrderDetail.csv", "12.00,.00,12.00", "14.00,.00,14.00")
    await shop.run()
    held = shop.only("state = 'held'")
    assert held.reason.endswith("change of line 5: 12 -> 14")
    await shop.act("correct", held)
    assert shop.received("4") == {"SP-2036": Decimal(28), "CH-5012": Decimal(14)}

    shop.change("PurchaseOrderDetail.csv", "30.00,2.00,28.00", "30.00,3.00,27.00")
    await shop.run()
    await shop.act("correct", shop.only("state = 'held'"))
    refused = shop.only("state = 'held'")
    assert refused.code == "order_released"
    shop.box.buy("reopen", number, COMPANY)
    assert [acted.done for acted in await shop.act("retry", refused)] == [True]
    assert shop.received("4") == {"SP-2036": Decimal(27), "CH-5012": Decimal(14)}
    assert len(shop.order("4")["receipts"]) == 3
    await shop.run()
    assert not shop.messages("state in ('held', 'dead')")


async def test_an_order_changed_in_its_list_is_amended(shop: Shop) -> None:
    """One without receipts: Business Central releases an order with its first one."""
    await shop.run()
    shop.change("PurchaseOrderDetail.csv", ",24,505,17.85,428.40,", ",26,505,17.85,464.10,")
    await shop.run()
    assert [(line["item"], line["ordered"]) for line in shop.order("8")["lines"] if line["item"]] == [("PT-4400", "26")]
