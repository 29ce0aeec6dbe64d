"""Bills: of orders, standalone, taken back; what they leave in the ledgers (bc.md section 15)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration.sandbox.purchasing import Buyer, line, seed
from isthmus.sandbox.server import Sandbox, SandboxError

NUMBER_NEEDED = "in the Vendor Invoice No. field, so that this document stays linked to the original."
POSTED = "The invoice has been posted and can no longer be modified."


@pytest.fixture
async def box(tmp_path: Path) -> Any:
    async with Sandbox(seed() | {"published": {"PurchaseOrder": 50}}, home=tmp_path / "home") as box:
        yield box


@pytest.fixture
def own(bc: Any) -> Buyer:
    return Buyer(bc)


async def page(buyer: Buyer, order: dict[str, Any], values: dict[str, Any] | None = None, etag: str = "*") -> Any:
    """Page 50 of an order: read it, or change it."""
    root = buyer.client.root.replace("/api/v2.0", "/ODataV4/Company('CRONUS')")
    path = f"{root}/PurchaseOrder('Order','{order['number']}')"
    if values is None:
        return await buyer.client.get(path)
    return await buyer.client.call("PATCH", path, values, If_Match=etag)


async def invoice(buyer: Buyer, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"vendorNumber": "10000", "purchaseInvoiceLines": list(lines), **more}
    answer = await buyer.client.post("purchaseInvoices?$expand=purchaseInvoiceLines", body)
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def post(buyer: Buyer, set_name: str, row: dict[str, Any], action: str = "post") -> Any:
    return await buyer.client.call("POST", f"{set_name}({row['id']})/Microsoft.NAV.{action}")


async def booked(buyer: Buyer, number: str) -> dict[str, Decimal]:
    """Amounts by account of one document number, debit above zero."""
    found: dict[str, Decimal] = {}
    for entry in buyer.client.box.document(number)["entries"]:
        found[entry["account"]] = found.get(entry["account"], Decimal(0)) + Decimal(entry["amount"])
    return found


# bills of orders


async def test_v2_alone_cannot_bill_an_order(own: Buyer) -> None:
    order = await own.order(line(quantity=2))
    answer = await own.act(order)
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert answer.text.endswith(NUMBER_NEEDED)
    assert (await own.client.get("purchaseReceipts")).value == []


async def test_with_the_number_on_page_50_a_full_posting_ends_the_order(own: Buyer) -> None:
    order = await own.order(line(quantity=4, directUnitCost="2.50"), line("1007", 1, directUnitCost=100))
    shown = (await page(own, order)).body
    assert (shown["Document_Type"], shown["No"], shown["Status"], shown["Currency_Code"]) == (
        "Order",
        order["number"],
        "Open",
        "",
    )
    changed = await page(own, order, {"Vendor_Invoice_No": "r-77", "Your_Reference": "k1"})
    assert (changed.status, changed.body["Vendor_Invoice_No"], changed.body["Your_Reference"]) == (200, "R-77", "k1")
    assert (await own.read(order))["@odata.etag"] != order["@odata.etag"]
    answer = await own.act(order)
    assert answer.status == 204
    assert (await own.client.get(f"purchaseOrders({order['id']})")).status == 404
    bill = (await own.client.get(answer.headers["location"])).body
    assert (bill["number"], bill["status"], bill["vendorInvoiceNumber"]) == ("108001", "Open", "R-77")
    assert (bill["orderNumber"], bill["orderId"]) == (order["number"], order["id"])
    assert (bill["totalAmountExcludingTax"], bill["totalTaxAmount"]) == (110, 19)
    assert await booked(own, "108001") == {
        "7110": Decimal("110.00"),
        "5630": Decimal("19.00"),
        "5410": Decimal("-129.00"),
        "2110": Decimal("110.00"),
        "7190": Decimal("-110.00"),
    }
    costs = own.client.box.stock()["costs"]
    assert {name: Decimal(cost) for name, cost in costs.items()} == {"1000": 10, "1007": 100}
    vendor = (await own.client.get("vendors?$filter=number eq '10000'")).value[0]
    assert vendor["balance"] == 129


async def test_a_bill_of_what_came_before(own: Buyer) -> None:
    order = await own.order(line(quantity=10, directUnitCost=3), line("1007", 5, directUnitCost=10))
    await own.receive(order, 6, 2)
    await page(own, order, {"Vendor_Invoice_No": "B1"})
    for one in await own.lines(order):
        await own.set_line(one, receiveQuantity=0)
        await own.set_line(one, invoiceQuantity=4 if one["quantity"] == 10 else 0)
    answer = await own.act(order)
    assert (answer.status, "purchaseInvoices(" in answer.headers["location"]) == (204, True)
    path = answer.headers["location"] + "?$expand=purchaseInvoiceLines"
    bill = (await own.client.get(path)).body
    assert [(one["quantity"], one["unitCost"], one["netAmount"]) for one in bill["purchaseInvoiceLines"]] == [
        (4, 3, 12),
        (0, 10, 0),
    ]
    lines = await own.lines(order)
    assert [(one["receivedQuantity"], one["invoicedQuantity"], one["invoiceQuantity"]) for one in lines] == [
        (6, 4, 2),
        (2, 0, 2),
    ]
    assert {name: Decimal(cost) for name, cost in own.client.box.stock()["costs"].items()} == {"1000": 12, "1007": 0}


async def test_the_number_of_a_vendor_is_taken_once(own: Buyer) -> None:
    for number, status in (("B1", 204), ("B1", 400), ("B2", 204)):
        order = await own.order(line(quantity=1))
        await page(own, order, {"Vendor_Invoice_No": number})
        answer = await own.act(order)
        assert answer.status == status, answer.body
        if status == 400:
            assert answer.text == "Purchase Invoice B1 already exists for this vendor."
    other = await invoice(own, line(quantity=1, unitCost=1), vendorNumber="20000", vendorInvoiceNumber="B1")
    assert (await post(own, "purchaseInvoices", other)).status == 204


async def test_without_the_demand_for_a_number(box: Sandbox, own: Buyer) -> None:
    box.set(company="CRONUS", purchase_setup={"ext_doc_no_mandatory": False})
    order = await own.order(line(quantity=1))
    assert (await own.act(order)).status == 204
    assert (await own.client.get("purchaseInvoices")).value[0]["vendorInvoiceNumber"] == ""


async def test_no_more_is_billed_than_came(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(quantity=10))
    with pytest.raises(SandboxError, match="for more than you have received"):
        await asyncio.to_thread(box.buy, "post", order["number"], receive=False, vendor_number="B9")


async def test_what_came_and_is_not_billed_stands_on_the_interim_accounts(box: Sandbox, own: Buyer) -> None:
    accounts = {"interim_inventory_account": "2112", "interim_accrual_account": "5510"}
    box.set(company="CRONUS", purchase_setup={"expected_cost_posting": True, **accounts})
    order = await own.order(line(quantity=10, directUnitCost="3.10", discountPercent=10))
    await own.receive(order, 6)
    await own.receive(order, 3)
    waiting = box.books("CRONUS")["accounts"]
    assert (waiting["2112"], waiting["5510"]) == ("25.11", "-25.11")
    await asyncio.to_thread(box.buy, "edit", order["number"], line=10000, values={"receiveQuantity": "0"})
    await asyncio.to_thread(box.buy, "edit", order["number"], line=10000, values={"invoiceQuantity": "7"})
    await asyncio.to_thread(box.buy, "post", order["number"], vendor_number="B1")
    books = box.books("CRONUS")["accounts"]
    assert (books["2112"], books["5510"], books["2110"], books["7190"]) == ("5.58", "-5.58", "19.53", "-19.53")
    assert box.books("CRONUS")["balance"] == "0.00"


async def test_foreign_bills_are_booked_in_the_own_currency(own: Buyer) -> None:
    order = await own.order(line(quantity=3, directUnitCost="33.33"), vendor="20000")
    assert (order["currencyCode"], order["totalAmountIncludingTax"]) == ("USD", 99.99)
    await page(own, order, {"Vendor_Invoice_No": "F1"})
    assert (await own.act(order)).status == 204
    found = await booked(own, "108001")
    assert (found["7110"], found["5410"]) == (Decimal("89.99"), Decimal("-89.99"))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1006", "Purch. Account must have a value in General Posting Setup"),
        ("1005", "The General Posting Setup does not exist."),
    ],
)
async def test_posting_groups_that_lead_nowhere(own: Buyer, number: str, text: str) -> None:
    order = await own.order(line(number, 1))
    await page(own, order, {"Vendor_Invoice_No": "X1"})
    answer = await own.act(order)
    assert (answer.code, text in answer.text) == ("Application_DialogException", True)


async def test_page_50_follows_the_rules_of_orders(own: Buyer) -> None:
    order = await own.order(line(quantity=2))
    assert (await page(own, order, {"Vendor_Invoice_No": "B1"}, etag="")).code == "BadRequest_InvalidToken"
    assert (await page(own, order, {"No": "X"})).code == "BadRequest_InvalidOperation"
    assert (await page(own, order, {"Vendor_Invoice_No": "x" * 36})).code == "Application_StringExceededLength"
    assert (await page(own, order, {"Buy_from_Vendor_No": "NONE"})).text == "The buy-from vendor cannot be found."
    assert (await page(own, {"number": "NONE"})).status == 404
    await own.receive(order, 1)
    assert (await page(own, order)).body["Status"] == "Released"
    assert (await page(own, order, {"Vendor_Invoice_No": "B1"})).status == 200
    assert "Status must be equal" in (await page(own, order, {"Buy_from_Vendor_No": "20000"})).text
    root = own.client.root.replace("/api/v2.0", "/ODataV4/Company('CRONUS')/PurchaseOrder")
    made = await own.client.post(root, {"Buy_from_Vendor_No": "10000", "Your_Reference": "k2"})
    assert (made.status, made.body["Your_Reference"], made.body["Status"]) == (201, "k2", "Open")
    found = await own.client.get(f"{root}?$filter=Your_Reference eq 'k2'&$select=No")
    assert [row["No"] for row in found.value] == [made.body["No"]]


# standalone invoices


async def test_an_invoice_keeps_its_id_and_changes_its_number(own: Buyer) -> None:
    draft = await invoice(own, line(quantity=2, unitCost="4.20"), vendorInvoiceNumber="s-1", invoiceDate="2026-03-31")
    assert (draft["number"], draft["status"], draft["dueDate"]) == ("107001", "Draft", "2026-04-30")
    answer = await post(own, "purchaseInvoices", draft)
    assert (answer.status, answer.headers["location"].endswith(f"purchaseInvoices({draft['id']})")) == (204, True)
    after = (await own.client.get(f"purchaseInvoices({draft['id']})?$expand=purchaseInvoiceLines")).body
    assert (after["number"], after["status"], after["vendorInvoiceNumber"]) == ("108001", "Open", "S-1")
    assert after["purchaseInvoiceLines"][0]["id"] == draft["purchaseInvoiceLines"][0]["id"]
    assert (await own.client.get("purchaseInvoices?$filter=number eq '107001'")).value == []


async def test_a_posted_invoice_is_not_touched(own: Buyer) -> None:
    draft = await invoice(own, line(quantity=2, unitCost=1), vendorInvoiceNumber="S1")
    await post(own, "purchaseInvoices", draft)
    path, one = f"purchaseInvoices({draft['id']})", draft["purchaseInvoiceLines"][0]["id"]
    assert (await post(own, "purchaseInvoices", draft)).text == "The action can be applied to a draft invoice only."
    assert (await own.client.patch(path, {"dueDate": "2026-12-31"})).text == POSTED
    assert (await own.client.patch(f"purchaseInvoiceLines({one})", {"quantity": 3})).text == POSTED
    assert (await own.client.post(f"{path}/purchaseInvoiceLines", line())).text == POSTED
    assert (await own.client.call("DELETE", f"purchaseInvoiceLines({one})")).text == POSTED
    dimension = {"code": "AREA", "valueCode": "30"}
    assert (await own.client.post(f"{path}/dimensionSetLines", dimension)).text == POSTED
    assert (await own.client.call("DELETE", path)).text == POSTED


async def test_a_standalone_invoice_receives_once_more(own: Buyer) -> None:
    order = await own.order(line(quantity=5))
    await own.receive(order, 5)
    draft = await invoice(own, line(quantity=5, unitCost=2), vendorInvoiceNumber="S1")
    await post(own, "purchaseInvoices", draft)
    receipts = (await own.client.get("purchaseReceipts?$orderby=number")).value
    assert [one["orderNumber"] for one in receipts] == [order["number"], ""]
    assert own.client.box.stock()["items"] == {"1000": {"": "10"}}


async def test_an_invoice_of_accounts_receives_nothing(own: Buyer) -> None:
    draft = await invoice(
        own, line("8450", 1, lineType="Account", unitCost=80, taxCode="VAT19"), vendorInvoiceNumber="S1"
    )
    assert draft["totalTaxAmount"] == 15.2
    await post(own, "purchaseInvoices", draft)
    assert (await own.client.get("purchaseReceipts")).value == []
    assert await booked(own, "108001") == {"8450": 80, "5630": Decimal("15.20"), "5410": Decimal("-95.20")}


async def test_a_draft_needs_a_vendor_and_a_number(own: Buyer) -> None:
    none = await own.client.post("purchaseInvoices", {})
    assert none.text == 'A "vendorNumber" or a "vendorID" must be provided.'
    draft = await invoice(own, line(quantity=1, unitCost=1))
    answer = await post(own, "purchaseInvoices", draft)
    assert (answer.code, answer.text.endswith(NUMBER_NEEDED)) == ("Application_DialogException", True)
    assert (await own.client.get(f"purchaseInvoices({draft['id']})")).body["status"] == "Draft"
    empty = await invoice(own, vendorInvoiceNumber="S9")
    assert (await post(own, "purchaseInvoices", empty)).text.startswith("There is nothing to post")
    assert (await own.client.call("DELETE", f"purchaseInvoices({draft['id']})")).status == 204


async def test_a_paid_invoice_says_so(box: Sandbox, own: Buyer) -> None:
    draft = await invoice(own, line(quantity=2, unitCost=1), vendorInvoiceNumber="S1")
    await post(own, "purchaseInvoices", draft)
    await asyncio.to_thread(box.buy, "pay", "108001", document="invoice")
    assert (await own.client.get(f"purchaseInvoices({draft['id']})")).body["status"] == "Paid"
    assert (await own.client.get("vendors?$filter=number eq '10000'")).value[0]["balance"] == 0
    with pytest.raises(SandboxError, match="no posted invoice of this number is open"):
        await asyncio.to_thread(box.buy, "pay", "108001", document="invoice")


# credit memos


async def memo(buyer: Buyer, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"vendorNumber": "10000", "purchaseCreditMemoLines": list(lines), **more}
    answer = await buyer.client.post("purchaseCreditMemos", body)
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def test_a_credit_memo_takes_an_invoice_back(own: Buyer) -> None:
    draft = await invoice(own, line(quantity=2, unitCost=50), vendorInvoiceNumber="S1")
    await post(own, "purchaseInvoices", draft)
    taken = await memo(own, line(quantity=2, unitCost=50), invoiceId=draft["id"], vendorCreditMemoNumber="c-1")
    assert (taken["number"], taken["status"], taken["invoiceNumber"]) == ("1001", "Draft", "108001")
    assert (await post(own, "purchaseCreditMemos", taken)).status == 204
    after = (await own.client.get(f"purchaseCreditMemos({taken['id']})")).body
    assert (after["number"], after["status"]) == ("109001", "Paid")
    assert (await own.client.get(f"purchaseInvoices({draft['id']})")).body["status"] == "Paid"
    assert own.client.box.stock()["items"] == {"1000": {}}
    assert set(own.client.box.books("CRONUS")["accounts"].values()) == {"0.00"}
    entries = (await own.client.get("itemLedgerEntries?$filter=documentNumber eq '109001'")).value
    assert [(one["documentType"], one["quantity"], one["costAmountActual"]) for one in entries] == [
        ("Purchase_x0020_Credit_x0020_Memo", -2, -100)
    ]


async def test_a_cancelled_credit_memo_becomes_a_corrective_invoice(own: Buyer) -> None:
    taken = await memo(own, line(quantity=1, unitCost=7), vendorCreditMemoNumber="C1")
    assert (await post(own, "purchaseCreditMemos", taken, "cancel")).text == (
        "The action can be applied to a posted credit memo only."
    )
    await post(own, "purchaseCreditMemos", taken)
    assert (await post(own, "purchaseCreditMemos", taken)).text == (
        "The action can be applied to a draft credit memo only."
    )
    assert (await post(own, "purchaseCreditMemos", taken, "cancel")).status == 204
    assert (await own.client.get(f"purchaseCreditMemos({taken['id']})")).body["status"] == "Canceled"
    (corrective,) = (await own.client.get("purchaseInvoices")).value
    assert (corrective["status"], corrective["totalAmountIncludingTax"]) == ("Corrective", 7)
    assert set(own.client.box.books("CRONUS")["accounts"].values()) == {"0.00"}
    again = await post(own, "purchaseCreditMemos", taken, "cancel")
    assert again.text == "The credit memo cannot be cancelled because it has already been canceled."


async def test_what_a_credit_memo_needs(box: Sandbox, own: Buyer) -> None:
    empty = await memo(own, vendorCreditMemoNumber="C1")
    assert (await post(own, "purchaseCreditMemos", empty)).text == (
        "Please add at least one line item to the credit memo."
    )
    bare = await memo(own, line(quantity=1, unitCost=1))
    assert "Vendor Cr. Memo No. field" in (await post(own, "purchaseCreditMemos", bare)).text
    flat = await own.client.get("purchaseCreditMemoLines")
    assert flat.text == "You must specify an id or a Document Id to get the lines."
    unknown = await own.client.post(
        "purchaseCreditMemos", {"vendorNumber": "10000", "invoiceId": "12345678-1234-1234-1234-123456789012"}
    )
    assert unknown.text == 'The "invoiceId" does not match to an Invoice.'
    box.set(company="CRONUS", purchase_setup={"credit_memos_need_upgrade": True})
    for path in ("purchaseCreditMemos", f"purchaseCreditMemos({bare['id']})"):
        old = await own.client.get(path)
        assert (old.status, old.text.startswith("You must run the data upgrade for this API page")) == (400, True)
