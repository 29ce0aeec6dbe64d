"""Orders and receipts of the CAFM in Business Central: made once, amended, cancelled, received in parts, corrected."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration.cafm_business_central.bench import Site

Make = Callable[..., Site]
FLOWS = ("vendors", "payment-terms", "units-of-measure", "items", "item-units", "locations")
DOCUMENTS = ("purchase-orders", "goods-receipts")
ORDER = "PO-1"


@pytest.fixture
def site(make_site: Make) -> Site:
    """One approved order: 10 seals, 4 filters."""
    site = make_site(*FLOWS, *DOCUMENTS)
    site.without_documents()
    site.seed["vendors"] = site.seed["vendors"][:1]
    site.company["vendors"] = site.company["vendors"][:1]
    seals = {"itemId": "1000", "quantity": "10", "unitPrice": "4.5"}
    filters = {"itemId": "1001", "quantity": "4", "unitPrice": "12.2575"}
    site.seed["purchaseOrders"] = [
        {"number": ORDER, "vendorId": "501", "locationId": "STORE", "status": "approved", "lines": [seals, filters]}
    ]
    return site


def order_of(site: Site) -> dict[str, Any]:
    return site.of_cafm("purchaseOrders", ORDER)


def booked(site: Site) -> dict[str, Any]:
    """The one order of finance."""
    [order] = site.of_finance("purchaseOrders")
    return order


def lines_of(site: Site) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Item, quantity, price, received of what is ordered in finance."""
    return [
        (line["lineObjectNumber"], Decimal(str(line["quantity"])), Decimal(str(line["directUnitCost"])),
         Decimal(str(line["receivedQuantity"])))
        for line in booked(site)["purchaseOrderLines"]
        if line["lineType"] == "Item"
    ]  # fmt: skip


def move(site: Site, *statuses: str) -> None:
    for status in statuses:
        site.act("POST", f"/purchaseOrders/number:{ORDER}/status", {"status": status})


def receive(site: Site, **accepted: str) -> dict[str, Any]:
    """Goods come: `l10` is line 10 of the order."""
    keys = {f"l{line['lineNumber']}": line["id"] for line in order_of(site)["lines"]}
    lines = [{"orderLineId": keys[name], "received": quantity} for name, quantity in accepted.items()]
    return site.act("POST", "/receipts", {"purchaseOrderId": ORDER, "lines": lines}, user="ben")


async def test_an_order_is_made_once_and_its_number_comes_back(site: Site) -> None:
    await site.run()
    assert lines_of(site) == [("1000", 10, Decimal("4.5"), 0), ("1001", 4, Decimal("12.2575"), 0)]
    order = booked(site)
    assert order["vendorNumber"] == "V10000"
    assert order_of(site)["externalNumber"] == order["number"] == "106001"
    site.forget()
    site.finance.advance(3600)
    await site.run()
    assert site.changes() == ({}, 0), "nothing comes back as an edit"


async def test_an_order_is_amended_and_cancelled(site: Site) -> None:
    await site.run()
    move(site, "draft")
    seals, filters = order_of(site)["lines"]
    changed = [
        {"id": seals["id"], "quantity": "12"},
        {"id": filters["id"], "unitPrice": "11.5"},
        {"itemId": "1000", "quantity": "2", "unit": "BOX", "unitPrice": "39.9"},
    ]
    site.act("PATCH", f"/purchaseOrders/number:{ORDER}", {"lines": changed})
    await site.run()
    assert lines_of(site)[0][1] == 10, "a draft is nobody's order yet"
    move(site, "pending", "approved")
    await site.run()
    assert lines_of(site) == [
        ("1000", 12, Decimal("4.5"), 0), ("1001", 4, Decimal("11.5"), 0), ("1000", 2, Decimal("39.9"), 0),
    ]  # fmt: skip
    assert [line["unitOfMeasureCode"] for line in booked(site)["purchaseOrderLines"] if line["lineType"] == "Item"] == [
        "PCS", "PCS", "BOX",
    ]  # fmt: skip
    move(site, "cancelled")
    await site.run()
    assert [line for line in site.of_finance("purchaseOrders") if line["purchaseOrderLines"]] == []
    assert [(m.connection, m.action, m.code, m.reason) for m in site.messages("state in ('dead', 'held')")] == []


async def test_goods_come_in_parts(site: Site) -> None:
    await site.run()
    first = receive(site, l10="4")
    await site.run()
    assert [line[3] for line in lines_of(site)] == [4, 0]
    told = site.of_cafm("receipts", first["number"])
    assert (told["externalStatus"], told["externalNumber"] != "") == ("posted", True)
    receive(site, l10="6", l20="4")
    await site.run()
    assert [line[3] for line in lines_of(site)] == [10, 4]
    assert order_of(site)["status"] == "received"
    assert site.standing("goods-receipts") == {"done": 2}


async def test_what_somebody_received_in_finance_is_not_guessed(site: Site) -> None:
    """3 of 10 were received by hand before our 4 are posted: nothing is posted until a person has said so."""
    await site.run()
    number = booked(site)["number"]
    line = next(line for line in booked(site)["purchaseOrderLines"] if line["lineType"] == "Item")
    site.finance.buy("receive", number, lines={str(line["sequence"]): 3})
    receipt = receive(site, l10="4")
    await site.run()
    held = site.last(receipt["number"])
    assert (held.state, held.code) == ("held", "somebody_else")
    assert "3" in held.reason
    assert lines_of(site)[0][3] == 3
    await site.act_on("retry", held)
    assert lines_of(site)[0][3] == 7
    assert site.last(receipt["number"]).state == "done"


async def test_a_receipt_is_corrected_by_another_one(site: Site) -> None:
    await site.run()
    first = receive(site, l10="4")
    await site.run()
    [line] = first["lines"]
    body = {
        "purchaseOrderId": ORDER,
        "correctsReceiptId": first["id"],
        "lines": [{"orderLineId": line["orderLineId"], "received": "-1"}],
    }
    correction = site.act("POST", "/receipts", body, user="ben")
    await site.run()
    held = site.last(correction["number"])
    assert (held.state, held.code) == ("held", "order_released")  # by the first receipt: taking back needs it open
    site.finance.buy("reopen", booked(site)["number"])
    await site.act_on("retry", held)
    # A line that was received stays so in Business Central: what is taken back stands in a line of its own.
    assert sum(received for item, _, _, received in lines_of(site) if item == "1000") == 3
    assert site.last(correction["number"]).state == "done"
