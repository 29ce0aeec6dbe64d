"""receiveAndInvoice: the quantities of the lines, receipts, what stands in the way (bc.md section 15)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.sandbox.purchasing import Buyer, line, seed
from isthmus.sandbox.business_central.areas.purchase_order_lines import expect_remainder, most_to_invoice, outstanding
from isthmus.sandbox.business_central.areas.purchase_setup import PurchaseSetup
from isthmus.sandbox.server import Sandbox

NUMBER_NEEDED = (
    "You need to enter the document number of the document from the vendor in the Vendor Invoice No. field, so that "
    "this document stays linked to the original."
)
NOTHING = "There is nothing to post because the document does not contain a quantity or amount."


def left(one: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    return one["receivedQuantity"], one["invoicedQuantity"], one["receiveQuantity"], one["invoiceQuantity"]


async def receipts(buyer: Buyer, order: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"purchaseReceipts?$filter=orderNumber eq '{order['number']}'&$expand=purchaseReceiptLines"
    return list((await buyer.client.get(path)).value)


# quantities


async def test_a_new_line_is_to_be_received_and_invoiced(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10))
    assert left(order["purchaseOrderLines"][0]) == (0, 0, 10, 10)


async def test_receive_quantity_computes_invoice_quantity_anew(buyer: Buyer) -> None:
    one = (await buyer.order(line(quantity=10)))["purchaseOrderLines"][0]
    assert left((await buyer.set_line(one, invoiceQuantity=0)).body) == (0, 0, 10, 0)
    assert left((await buyer.set_line(one, receiveQuantity=6)).body) == (0, 0, 6, 6)


async def test_both_in_one_change_end_with_an_invoice(buyer: Buyer) -> None:
    one = (await buyer.order(line(quantity=10)))["purchaseOrderLines"][0]
    assert left((await buyer.set_line(one, receiveQuantity=6, invoiceQuantity=0)).body) == (0, 0, 6, 6)
    assert left((await buyer.set_line(one, invoiceQuantity=0)).body) == (0, 0, 6, 0)


async def test_an_unchanged_quantity_does_nothing(buyer: Buyer) -> None:
    one = (await buyer.order(line(quantity=10)))["purchaseOrderLines"][0]
    await buyer.set_line(one, invoiceQuantity=0)
    assert left((await buyer.set_line(one, receiveQuantity=10)).body) == (0, 0, 10, 0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"receiveQuantity": 11}, "You cannot receive more than 10 units."),
        ({"receiveQuantity": -1}, "You cannot receive more than 10 units."),
        ({"invoiceQuantity": 11}, "You cannot invoice more than 10 units."),
        ({"receiveQuantity": 2, "invoiceQuantity": 10.5}, "You cannot invoice more than 10 units."),
    ],
)
async def test_no_more_than_is_ordered(buyer: Buyer, changes: dict[str, Any], text: str) -> None:
    one = (await buyer.order(line(quantity=10)))["purchaseOrderLines"][0]
    answer = await buyer.set_line(one, **changes)
    assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", text)


async def test_what_posting_writes_is_ignored(buyer: Buyer) -> None:
    one = (await buyer.order(line(quantity=10)))["purchaseOrderLines"][0]
    answer = await buyer.set_line(one, receivedQuantity=3, invoicedQuantity=3)
    assert left(answer.body) == (0, 0, 10, 10)


QUANTITY = st.decimals(min_value=-1000, max_value=1000, places=5)


@given(quantity=QUANTITY, received=st.decimals(0, 1, places=3), invoiced=st.decimals(0, 1, places=3))
def test_what_is_expected_adds_up(quantity: Decimal, received: Decimal, invoiced: Decimal) -> None:
    came = quantity * received
    row = {
        "quantity": quantity,
        "receivedQuantity": came,
        "invoicedQuantity": came * invoiced,
        "receiveQuantity": Decimal(0),
    }
    expect_remainder(row, PurchaseSetup())
    assert row["receivedQuantity"] + row["receiveQuantity"] == quantity
    assert row["invoicedQuantity"] + row["invoiceQuantity"] == quantity
    blank = {**row, "receiveQuantity": Decimal(0)}
    expect_remainder(blank, PurchaseSetup(default_qty_to_receive="blank"))
    assert (blank["receiveQuantity"], blank["invoiceQuantity"]) == (0, most_to_invoice(blank))
    assert outstanding(blank) == quantity - came


# receipts


async def test_a_partial_receipt_alone(buyer: Buyer) -> None:
    order = await buyer.order({"description": "ISTHMUS r"}, line(quantity=10), line("1007", 4))
    answer = await buyer.receive(order, 0, 6, 0)
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["location"].endswith(f"purchaseOrders({order['id']})")
    after = await buyer.read(order)
    assert (after["status"], after["fullyReceived"]) == ("Open", False)
    assert [left(one) for one in after["purchaseOrderLines"]][1:] == [(6, 0, 4, 6), (0, 0, 4, 0)]
    assert after["@odata.etag"] != order["@odata.etag"]
    (receipt,) = await receipts(buyer, order)
    assert (receipt["vendorNumber"], receipt["postingDate"]) == ("10000", order["postingDate"])
    assert [(one["sequence"], one["lineType"], one["quantity"]) for one in receipt["purchaseReceiptLines"]] == [
        (10000, "_x0020_", 0),
        (20000, "Item", 6),
        (30000, "Item", 0),
    ]
    entries = (await buyer.client.get(f"itemLedgerEntries?$filter=documentNumber eq '{receipt['number']}'")).value
    assert [(one["entryType"], one["documentType"], one["sourceNumber"], one["quantity"]) for one in entries] == [
        ("Purchase", "Purchase_x0020_Receipt", "10000", 6)
    ]
    assert entries[0]["costAmountActual"] == 0


async def test_the_second_receipt_would_bill_the_first(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10))
    await buyer.receive(order, 6)
    assert left((await buyer.lines(order))[0]) == (6, 0, 4, 6)
    careless = await buyer.act(order)
    assert (careless.code, careless.text) == ("Application_DialogException", NUMBER_NEEDED)
    assert (await buyer.receive(order, 4)).status == 204
    after = await buyer.read(order)
    assert (left(after["purchaseOrderLines"][0]), after["fullyReceived"]) == ((10, 0, 0, 10), True)
    assert [one["quantity"] for receipt in await receipts(buyer, order) for one in receipt["purchaseReceiptLines"]] == [
        6,
        4,
    ]


async def test_receipts_are_read_only_and_their_lines_flat(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=1))
    await buyer.receive(order, 1)
    (receipt,) = await receipts(buyer, order)
    one = receipt["purchaseReceiptLines"][0]
    flat = (await buyer.client.get(f"purchaseReceiptLines?$filter=documentId eq {receipt['id']}")).value
    assert [row["id"] for row in flat] == [one["id"]]
    assert not {"orderNumber", "orderLineNumber", "documentLineId"} & set(one)
    refused = await buyer.client.patch(f"purchaseReceipts({receipt['id']})", {"vendorName": "x"})
    assert (refused.status, refused.code) == (405, "BadRequest_MethodNotAllowed")
    since = f"purchaseReceipts?$filter=lastModifiedDateTime gt {receipt['lastModifiedDateTime']}"
    assert receipt["id"] not in {row["id"] for row in (await buyer.client.get(since)).value}


async def test_a_released_order_takes_no_changes_of_what_is_ordered(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10, directUnitCost=2))
    await buyer.receive(order, 4)
    one = (await buyer.lines(order))[0]
    for changes in ({"quantity": 12}, {"directUnitCost": 3}, {"discountPercent": 5}, {"unitOfMeasureCode": "BOX"}):
        answer = await buyer.set_line(one, **changes)
        assert (answer.code, "Status must be equal to 'Open'" in answer.text) == (
            "Application_FieldValidationException",
            True,
        )
    assert (await buyer.set_line(one, description="late", expectedReceiptDate="2026-12-12")).status == 200
    added = await buyer.client.post(f"purchaseOrders({order['id']})/purchaseOrderLines", line())
    assert "Current value is 'Released'" in added.text


async def test_what_came_holds_its_line_and_its_order(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10))
    await buyer.receive(order, 4)
    await asyncio.to_thread(buyer.client.box.buy, "reopen", order["number"])
    one = (await buyer.lines(order))[0]
    fewer = await buyer.set_line(one, quantity=3)
    assert (fewer.code, fewer.text) == (
        "Application_FieldValidationException",
        "Quantity must not be less than Quantity Received in Purchase Line Document Type='Order',"
        f"Document No.='{order['number']}',Line No.='10000'.",
    )
    assert left((await buyer.set_line(one, quantity=4)).body) == (4, 0, 0, 4)
    assert (await buyer.read(order))["fullyReceived"] is True
    for path in (f"purchaseOrderLines({one['id']})", f"purchaseOrders({order['id']})"):
        kept = await buyer.client.call("DELETE", path)
        assert (kept.status, "Qty. Rcd. Not Invoiced must be equal to '0'" in kept.text) == (400, True)


async def test_a_line_of_less_than_nothing_takes_goods_back(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=-3, directUnitCost=2))
    assert left(order["purchaseOrderLines"][0]) == (0, 0, -3, -3)
    assert (await buyer.receive(order, -2)).status == 204
    assert left((await buyer.lines(order))[0]) == (-2, 0, -1, -2)
    (receipt,) = await receipts(buyer, order)
    assert receipt["purchaseReceiptLines"][0]["quantity"] == -2


async def test_services_come_without_stock(buyer: Buyer) -> None:
    order = await buyer.order(line("1004", 2), line("8450", 3, lineType="Account", directUnitCost=1))
    assert (await buyer.receive(order, 2, 3)).status == 204
    (receipt,) = await receipts(buyer, order)
    assert (await buyer.client.get(f"itemLedgerEntries?$filter=documentNumber eq '{receipt['number']}'")).value == []


@pytest.mark.parametrize("action", ["receiveandinvoice", "RECEIVEANDINVOICE", "ReceiveAndInvoice"])
async def test_the_action_in_any_case(buyer: Buyer, action: str) -> None:
    order = await buyer.order(line(quantity=1))
    await buyer.set_line(order["purchaseOrderLines"][0], invoiceQuantity=0)
    assert (await buyer.act(order, action)).status == 204


async def test_nothing_to_post(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=0), {"description": "only text"})
    answer = await buyer.act(order)
    assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", NOTHING)
    full = await buyer.order(line(quantity=5))
    assert (await buyer.receive(full, 0)).text == NOTHING


@pytest.mark.parametrize(
    ("lines", "header", "text"),
    [
        ([line("1001")], {}, "You must assign a lot number for item 1001."),
        ([line("1008")], {}, "You must assign a serial number for item 1008."),
        ([line("1005")], {}, "The General Posting Setup does not exist."),
        ([line("8430", lineType="Account")], {}, "Select a Dimension Value Code for the Dimension Code DEPARTMENT"),
        ([line()], {"postingDate": "0001-01-01"}, "Posting Date must have a value in Purchase Header"),
        ([line()], {"orderDate": "0001-01-01"}, "Document Date must have a value in Purchase Header"),
    ],
)
async def test_what_stops_a_receipt_has_lost_its_code(
    buyer: Buyer, lines: list[dict[str, Any]], header: dict[str, Any], text: str
) -> None:
    order = await buyer.order(*lines, **header)
    answer = await buyer.receive(order, 1)
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert text in answer.text
    assert await receipts(buyer, order) == []
    assert (await buyer.read(order))["status"] == "Draft"


@pytest.mark.parametrize("code", ["WHITE", "GREEN"])
async def test_a_warehouse_receives_by_its_own_documents(buyer: Buyer, code: str) -> None:
    place = (await buyer.client.get(f"locations?$filter=code eq '{code}'")).value[0]["id"]
    order = await buyer.order(line(locationId=place))
    answer = await buyer.receive(order, 1)
    assert answer.text == (
        f"Warehouse handling is required for Document Type = Order, Document No. = {order['number']}, Line No. = 10000."
    )


async def test_stock_comes_to_the_location_of_the_line(buyer: Buyer) -> None:
    place = (await buyer.client.get("locations?$filter=code eq 'EAST'")).value[0]["id"]
    before = buyer.client.box.stock()["items"].get("1007", {}).get("EAST", "0")
    order = await buyer.order(line("1007", 3, locationId=place))
    await buyer.receive(order, 3)
    assert Decimal(buyer.client.box.stock()["items"]["1007"]["EAST"]) == Decimal(before) + 3


# what a company sets up, and what happened meanwhile


@pytest.fixture
async def box(tmp_path: Path) -> Any:
    async with Sandbox(seed(), home=tmp_path / "home") as box:
        yield box


@pytest.fixture
def own(bc: Any) -> Buyer:
    return Buyer(bc)


async def test_masters_blocked_after_the_order(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line())
    await asyncio.to_thread(box.edit, "items", "1000", purchasing_blocked=True)
    assert "Purchasing Blocked" in (await own.receive(order, 1)).text
    await asyncio.to_thread(box.edit, "items", "1000", purchasing_blocked=False, blocked=True)
    blocked = await own.receive(order, 1)
    assert (blocked.code, "Blocked must be equal to 'No'" in blocked.text) == ("Application_DialogException", True)
    await asyncio.to_thread(box.edit, "items", "1000", blocked=False)
    await asyncio.to_thread(box.edit, "vendors", "10000", blocked="All")
    vendor = await own.receive(order, 1)
    assert vendor.text == "You cannot post this type of document when Vendor 10000 is blocked with type All"
    await asyncio.to_thread(box.edit, "vendors", "10000", blocked="Payment")
    assert (await own.receive(order, 1)).status == 204


async def test_a_closed_period(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(), postingDate="2026-01-15")
    box.set(company="CRONUS", allow_posting_from="2026-02-01")
    closed = await own.receive(order, 1)
    assert closed.text == "Posting Date is not within your range of allowed posting dates."
    await own.client.patch(f"purchaseOrders({order['id']})", {"postingDate": "2026-02-01"})
    assert (await own.act(order)).status == 204


async def test_before_version_24_a_receipt_answers_400(box: Sandbox, own: Buyer) -> None:
    box.set(company="CRONUS", purchase_setup={"receive_only_answers_400": True})
    order = await own.order(line(quantity=5))
    answer = await own.receive(order, 2)
    assert (answer.status, answer.code) == (400, "Internal_DataNotFoundFilter")
    assert answer.text.startswith("There is no Purch. Inv. Header within the filter.\r\n\r\nFilters: Order No.: ")
    assert left((await own.lines(order))[0]) == (2, 0, 3, 2)
    assert len(await receipts(own, order)) == 1


async def test_blank_as_the_default_quantity(box: Sandbox, own: Buyer) -> None:
    box.set(company="CRONUS", purchase_setup={"default_qty_to_receive": "blank"})
    order = await own.order(line(quantity=5))
    assert left(order["purchaseOrderLines"][0]) == (0, 0, 0, 0)
    assert (await own.act(order)).text == NOTHING
    await own.receive(order, 2)
    assert left((await own.lines(order))[0]) == (2, 0, 0, 2)


async def test_properties_in_the_order_of_the_body(box: Sandbox, own: Buyer) -> None:
    box.set(company="CRONUS", purchase_setup={"validate_in_body_order": True})
    one = (await own.order(line(quantity=10)))["purchaseOrderLines"][0]
    assert left((await own.set_line(one, receiveQuantity=6, invoiceQuantity=0)).body) == (0, 0, 6, 0)
    assert left((await own.set_line(one, invoiceQuantity=0, receiveQuantity=4)).body) == (0, 0, 4, 4)


async def test_an_order_waits_for_its_approval(box: Sandbox, own: Buyer) -> None:
    box.set(company="CRONUS", purchase_setup={"approval_workflow": True})
    order = await own.order(line())
    text = f"Purchase Order {order['number']} must be approved and released before you can perform this action."
    assert (await own.receive(order, 1)).text == text
    await asyncio.to_thread(box.buy, "request_approval", order["number"])
    assert (await own.read(order))["status"] == "In_x0020_Review"
    assert (await own.act(order)).text == text
    refused = await own.set_line(order["purchaseOrderLines"][0], quantity=9)
    assert "Current value is 'Pending Approval'" in refused.text
    await asyncio.to_thread(box.buy, "release", order["number"])
    assert (await own.act(order)).status == 204


async def test_dimensions_and_combinations_are_checked(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(), shortcutDimension1Code="ADM", shortcutDimension2Code="30")
    place = f"Order {order['number']}, line no. 10000"
    box.set(company="CRONUS", dimension_values={"DEPARTMENT/ADM": {"blocked": True}})
    answer = await own.receive(order, 1)
    assert answer.text == f"The dimensions used in {place} are invalid. Dimension Value DEPARTMENT - ADM is blocked."
    box.set(company="CRONUS", dimension_values={"DEPARTMENT/ADM": {"blocked": False}})
    box.set(company="CRONUS", blocked_combinations=[["DEPARTMENT", "AREA"]])
    assert (await own.act(order)).text == f"The combination of dimensions used in {place} is blocked."


async def test_series_that_are_not_set_up(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line())
    box.set(company="CRONUS", purchase_setup={"receipt_series": "", "order_series": ""})
    assert "Posted Receipt Nos. must have a value in Purchases & Payables Setup" in (await own.receive(order, 1)).text
    none = await own.client.post("purchaseOrders", {"vendorNumber": "10000"})
    assert (none.code, none.text.split(" must")[0]) == ("Application_FieldValidationException", "Order Nos.")


# laws


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.decimals(min_value=0, max_value=4, places=2), min_size=1, max_size=6))
async def test_whatever_comes_is_in_receipts_stock_and_order_alike(buyer: Buyer, parts: list[Decimal]) -> None:
    order = await buyer.order(line("1000", str(sum(parts) + 1), unitOfMeasureCode="BOX"))
    for part in parts:
        answer = await buyer.receive(order, str(part))
        assert answer.status == (204 if part else 400), answer.body
    received = sum((part for part in parts), Decimal(0))
    found = buyer.client.box.purchase(order["number"])
    assert Decimal(found["lines"][0]["received"]) == received
    posted = [Decimal(quantity) for receipt in found["receipts"] for quantity in receipt["lines"].values()]
    assert posted == [part for part in parts if part]
    entries = [
        entry["quantity"]
        for receipt in found["receipts"]
        for entry in (
            await buyer.client.get(f"itemLedgerEntries?$filter=documentNumber eq '{receipt['number']}'")
        ).value
    ]
    assert sum(Decimal(str(quantity)) for quantity in entries) == received * 12
