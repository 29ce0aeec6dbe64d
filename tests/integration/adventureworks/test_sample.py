"""The sample of the example: what its two files become, and what becomes of each receipt."""

from __future__ import annotations

from decimal import Decimal

from integration.adventureworks.bench import SENT, Bikes, check, worth


async def test_the_sample_is_read_and_received(bikes: Bikes) -> None:
    await bikes.turns()
    await check(bikes)
    assert worth(bikes.files.lines) == Decimal("2335.425")
    assert worth(bikes.files.of(*SENT)) == Decimal("1979.805")
    told = {message.subject: (message.state, message.code, message.reason) for message in await bikes.messages()}
    assert told == {
        "GR-1": ("done", "", ""),
        "GR-2": ("waiting", "order_pending", "order 2 is pending"),
        "GR-3": ("skipped", "order_called_off", "goods came for order 3, which is rejected"),
        "GR-4": ("done", "", ""),
        "GR-5": ("done", "", ""),
        "GR-6": ("skipped", "order_called_off", "goods came for order 6, which is rejected"),
        "GR-7": ("done", "", ""),
        "GR-8": ("skipped", "nothing_to_post", "receipt GR-8 accepts nothing"),
    }


async def test_the_same_product_twice_in_an_order_is_two_lines(bikes: Bikes) -> None:
    await bikes.turns()
    order = next(order for order in await bikes.states("purchase_order") if order["number"] == "5")
    assert [(line["key"], line["item"], line["amount"]) for line in order["lines"]] == [
        ("6", "BB-0060", "412"), ("7", "BB-0060", "199.5"),
    ]  # fmt: skip
    assert bikes.received()["5"] == {"6": Decimal(550), "7": Decimal(500)}


async def test_nothing_is_read_twice_and_a_line_alone_is_a_change_of_its_order(bikes: Bikes) -> None:
    await bikes.turns()
    await bikes.turns(1)
    assert (await bikes.changes("purchase_order"), await bikes.changes("receipt")) == (0, 0)
    details = bikes.folder / "PurchaseOrderDetail.csv"
    text = details.read_text("utf-8")
    assert "4,5,2014-03-21 00:00:00,15," in text
    details.write_text(text.replace("4,5,2014-03-21 00:00:00,15,", "4,5,2014-03-21 00:00:00,16,"), "utf-8")
    await bikes.turns(1)
    assert (await bikes.changes("purchase_order"), await bikes.changes("receipt")) == (1, 0)
    order = next(order for order in await bikes.states("purchase_order") if order["number"] == "4")
    assert [(line["quantity"], line["amount"]) for line in order["lines"]] == [("30", "370.125"), ("16", "150.528")]


async def test_an_approval_lets_the_goods_in(bikes: Bikes) -> None:
    await bikes.turns()
    heads = bikes.folder / "PurchaseOrderHeader.csv"
    text = heads.read_text("utf-8")
    heads.write_text(text.replace("2,1,1,300,2002", "2,1,2,300,2002"), "utf-8")
    await bikes.turns(1)
    assert (await bikes.message("GR-2")).state == "done"
    assert bikes.received()["2"] == {"2": Decimal(150)}
