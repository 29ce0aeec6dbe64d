"""Traps of purchase orders, receipts, invoices and credit memos, asked one by one by a stranger (bc.md section 15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.sandbox.plain_http import Wire, line, running

DIALOG, FIELD = "Application_DialogException", "Application_FieldValidationException"
LONE = {"ext_doc_no_mandatory": False}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("purchase")) as wire:
        yield wire


def left(one: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    return one["receivedQuantity"], one["invoicedQuantity"], one["receiveQuantity"], one["invoiceQuantity"]


def change(wire: Wire, one: dict[str, Any], **values: Any) -> Any:
    return wire.patch(f"purchaseOrderLines({one['id']})", values)


def receipts(wire: Wire, order: dict[str, Any]) -> list[dict[str, Any]]:
    query = f"$filter=orderNumber eq '{order['number']}'&$expand=purchaseReceiptLines"
    return wire.get(f"purchaseReceipts?{query}").value


def posted(wire: Wire, row: dict[str, Any], set_name: str = "purchaseInvoices", action: str = "post") -> Any:
    return wire.call("POST", f"{set_name}({row['id']})/Microsoft.NAV.{action}")


# orders


def test_an_order_needs_a_vendor(wire: Wire) -> None:
    answer = wire.post("purchaseOrders", {})
    assert (answer.code, answer.text) == (DIALOG, 'A "vendorNumber" or a "vendorId" must be provided.')


def test_the_number_of_an_order_is_given_by_its_series(wire: Wire) -> None:
    assert wire.post("purchaseOrders", {"vendorNumber": "10000", "number": "M1"}).code == "BadRequest_InvalidOperation"
    assert wire.order()["number"].startswith("1060")


def test_the_order_date_is_kept_as_it_was_sent(wire: Wire) -> None:
    order = wire.order(orderDate="2026-01-31", postingDate="2026-02-28")
    assert (order["orderDate"], order["postingDate"]) == ("2026-01-31", "2026-02-28")


def test_an_order_has_no_number_of_the_vendor(wire: Wire) -> None:
    assert wire.post("purchaseOrders", {"vendorNumber": "10000", "vendorInvoiceNumber": "1"}).code == "BadRequest"


@pytest.mark.parametrize("action", ["release", "reopen", "approve", "post", "receive"])
def test_no_other_action_than_to_receive_and_invoice(wire: Wire, action: str) -> None:
    answer = wire.act(wire.order(), f"Microsoft.NAV.{action}")
    assert (answer.status, answer.code) == (404, "BadRequest_ResourceNotFound")


def test_a_new_order_is_a_draft_and_posting_releases_it(wire: Wire) -> None:
    order = wire.order()
    assert order["status"] == "Draft"
    wire.receive(order)
    assert wire.get(f"purchaseOrders({order['id']})").body["status"] == "Open"


def test_a_released_order_takes_no_other_quantity(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order)
    answer = change(wire, wire.lines(order)[0], quantity=12)
    assert (answer.code, "Current value is 'Released'" in answer.text) == (FIELD, True)


def test_an_approval_workflow_keeps_an_order_from_posting(wire: Wire) -> None:
    order = wire.order()
    with wire.setup({"purchase_setup": {"approval_workflow": False}}, purchase_setup={"approval_workflow": True}):
        answer = wire.receive(order)
        wire.dev("POST", "purchase", {"do": "request_approval", "number": order["number"]})
        waiting = wire.get(f"purchaseOrders({order['id']})").body["status"]
    assert answer.code == DIALOG
    assert answer.text == (
        f"Purchase Order {order['number']} must be approved and released before you can perform this action."
    )
    assert waiting == "In_x0020_Review"


def test_fully_received_is_the_orders_own_business(wire: Wire) -> None:
    order = wire.order(line(quantity=2), {"description": "text"})
    assert wire.patch(f"purchaseOrders({order['id']})", {"fullyReceived": True}).body["fullyReceived"] is False
    wire.receive(order, 2)
    assert wire.get(f"purchaseOrders({order['id']})").body["fullyReceived"] is True


# lines


def test_a_line_is_about_an_item_or_an_account(wire: Wire) -> None:
    item = wire.get("items?$filter=number eq '1000'").value[0]["id"]
    account = wire.get("accounts?$filter=number eq '8450'").value[0]["id"]
    order = wire.order()
    both = wire.post(f"purchaseOrders({order['id']})/purchaseOrderLines", {"itemId": item, "accountId": account})
    assert both.text == 'Both "itemId" and "accountId" are specified. Specify only one of them.'


@pytest.mark.parametrize(("kind", "text"), [("Item", "Item does not exist."), ("Account", "Account does not exist.")])
def test_a_line_about_nothing_that_is_there(wire: Wire, kind: str, text: str) -> None:
    body = {"vendorNumber": "10000", "purchaseOrderLines": [line("NONE", lineType=kind)]}
    assert wire.post("purchaseOrders", body).text == text


def test_the_object_of_a_line_keeps_its_number(wire: Wire) -> None:
    answer = change(wire, wire.order()["purchaseOrderLines"][0], lineObjectNumber="1001")
    assert answer.text == 'The value for "lineObjectNumber" cannot be modified.'


def test_sequences_run_on_and_stay(wire: Wire) -> None:
    order = wire.order(line(), line(sequence=12000), line())
    assert [one["sequence"] for one in order["purchaseOrderLines"]] == [10000, 12000, 22000]
    moved = change(wire, order["purchaseOrderLines"][0], sequence=5000)
    assert moved.text == "The value for sequence cannot be modified. Delete and insert the line again."
    twice = wire.post(f"purchaseOrders({order['id']})/purchaseOrderLines", line(sequence=12000))
    assert (twice.status, twice.code) == (400, "Internal_EntityWithSameKeyExists")


@pytest.mark.parametrize("name", ["unitCost", "projectNumber", "shortcutDimension1Code", "requestedReceiptDate"])
def test_what_a_line_does_not_have(wire: Wire, name: str) -> None:
    assert change(wire, wire.order()["purchaseOrderLines"][0], **{name: "1"}).code == "BadRequest"


def test_a_price_of_four_decimals_stays_and_the_amount_rounds(wire: Wire) -> None:
    order = wire.order(line(quantity=7, directUnitCost=1.2345))
    one = order["purchaseOrderLines"][0]
    assert (one["directUnitCost"], one["netAmount"], order["totalAmountExcludingTax"]) == (1.2345, 8.64, 8.64)


def test_a_unit_must_be_one_of_the_item(wire: Wire) -> None:
    one = wire.order()["purchaseOrderLines"][0]
    assert change(wire, one, unitOfMeasureCode="BOX").body["unitOfMeasureCode"] == "BOX"
    assert change(wire, one, unitOfMeasureCode="KG").code == "Internal_InvalidTableRelation"


def test_totals_are_read_only(wire: Wire) -> None:
    order = wire.order()
    for name in ("totalAmountExcludingTax", "totalTaxAmount", "totalAmountIncludingTax"):
        assert wire.patch(f"purchaseOrders({order['id']})", {name: 1}).code == "BadRequest_InvalidOperation"


# quantities


def test_to_receive_in_part_brings_the_invoice_back(wire: Wire) -> None:
    one = wire.order()["purchaseOrderLines"][0]
    change(wire, one, invoiceQuantity=0)
    assert left(change(wire, one, receiveQuantity=4).body) == (0, 0, 4, 4)


@pytest.mark.parametrize(
    "both", [{"receiveQuantity": 4, "invoiceQuantity": 0}, {"invoiceQuantity": 0, "receiveQuantity": 4}]
)
def test_one_change_of_both_quantities_is_not_enough(wire: Wire, both: dict[str, int]) -> None:
    one = wire.order()["purchaseOrderLines"][0]
    assert left(change(wire, one, **both).body) == (0, 0, 4, 4)


def test_a_second_change_of_what_is_invoiced_is(wire: Wire) -> None:
    one = wire.order()["purchaseOrderLines"][0]
    change(wire, one, receiveQuantity=4)
    assert left(change(wire, one, invoiceQuantity=0).body) == (0, 0, 4, 0)


def test_a_quantity_sent_unchanged_is_not_validated(wire: Wire) -> None:
    one = wire.order()["purchaseOrderLines"][0]
    change(wire, one, invoiceQuantity=0)
    assert left(change(wire, one, receiveQuantity=10).body) == (0, 0, 10, 0)


def test_no_more_than_is_outstanding(wire: Wire) -> None:
    answer = change(wire, wire.order()["purchaseOrderLines"][0], receiveQuantity=10.5)
    assert (answer.code, answer.text) == (DIALOG, "You cannot receive more than 10 units.")


def test_no_less_is_ordered_than_came(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order, 4)
    wire.dev("POST", "purchase", {"do": "reopen", "number": order["number"]})
    answer = change(wire, wire.lines(order)[0], quantity=3)
    assert (answer.code, "must not be less than Quantity Received" in answer.text) == (FIELD, True)


def test_a_line_of_which_something_came_is_not_deleted(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order, 4)
    wire.dev("POST", "purchase", {"do": "reopen", "number": order["number"]})
    for path in (f"purchaseOrderLines({wire.lines(order)[0]['id']})", f"purchaseOrders({order['id']})"):
        assert "Qty. Rcd. Not Invoiced" in wire.delete(path).text


# receive and invoice


def test_only_a_receipt_where_nothing_is_to_be_invoiced(wire: Wire) -> None:
    order = wire.order(line(), line("1007", 4))
    assert wire.receive(order, 6).status == 204
    (receipt,) = receipts(wire, order)
    assert [one["quantity"] for one in receipt["purchaseReceiptLines"]] == [6, 0]
    assert wire.get(f"purchaseInvoices?$filter=orderNumber eq '{order['number']}'").value == []


def test_one_line_to_invoice_makes_it_an_invoice(wire: Wire) -> None:
    order = wire.order(line(), line("1007", 4))
    for one in order["purchaseOrderLines"][:1]:
        change(wire, one, invoiceQuantity=0)
    assert "Vendor Invoice No." in wire.act(order).text
    assert receipts(wire, order) == []


def test_after_a_receipt_the_quantities_stand_for_the_rest_and_for_what_came(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order, 6)
    assert left(wire.lines(order)[0]) == (6, 0, 4, 6)


def test_the_second_receipt_would_invoice_the_first(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order, 6)
    change(wire, wire.lines(order)[0], receiveQuantity=4)
    assert "Vendor Invoice No." in wire.act(order).text


def test_invoicing_through_the_order_fails_by_default(wire: Wire) -> None:
    answer = wire.act(wire.order())
    assert (answer.status, answer.code) == (400, DIALOG)
    assert answer.text == (
        "You need to enter the document number of the document from the vendor in the Vendor Invoice No. field, so "
        "that this document stays linked to the original."
    )


def test_before_version_24_a_receipt_was_posted_and_answered_400(wire: Wire) -> None:
    old = {"receive_only_answers_400": True}
    order = wire.order()
    with wire.setup({"purchase_setup": {"receive_only_answers_400": False}}, purchase_setup=old):
        answer = wire.receive(order, 3)
    assert (answer.status, answer.code) == (400, "Internal_DataNotFoundFilter")
    assert "There is no Purch. Inv. Header within the filter." in answer.text
    assert wire.lines(order)[0]["receivedQuantity"] == 3


def test_quantities_of_nothing(wire: Wire) -> None:
    answer = wire.receive(wire.order(), 0)
    assert answer.text == "There is nothing to post because the document does not contain a quantity or amount."


def test_a_full_posting_deletes_the_order_and_locates_the_invoice(wire: Wire) -> None:
    order = wire.order()
    with wire.setup({"purchase_setup": {"ext_doc_no_mandatory": True}}, purchase_setup=LONE):
        answer = wire.act(order)
    assert (answer.status, wire.get(f"purchaseOrders({order['id']})").status) == (204, 404)
    bill = wire.get(answer.headers["location"]).body
    assert (bill["orderNumber"], bill["orderId"], bill["status"]) == (order["number"], order["id"], "Open")


def test_a_partial_posting_keeps_the_order(wire: Wire) -> None:
    order = wire.order()
    change(wire, order["purchaseOrderLines"][0], receiveQuantity=3)
    with wire.setup({"purchase_setup": {"ext_doc_no_mandatory": True}}, purchase_setup=LONE):
        assert wire.act(order).status == 204
    assert left(wire.lines(order)[0]) == (3, 3, 7, 0)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1001", "You must assign a lot number for item 1001."),
        ("1008", "You must assign a serial number for item 1008."),
        ("1005", "The General Posting Setup does not exist."),
    ],
)
def test_what_stands_in_the_way_of_an_item(wire: Wire, number: str, text: str) -> None:
    answer = wire.receive(wire.order(line(number)))
    assert (answer.code, text in answer.text) == (DIALOG, True)


def test_warehouses_receive_by_documents_of_their_own(wire: Wire) -> None:
    place = wire.get("locations?$filter=code eq 'WHITE'").value[0]["id"]
    assert wire.receive(wire.order(line(locationId=place))).text.startswith("Warehouse handling is required for ")


def test_posting_dates_have_a_range(wire: Wire) -> None:
    order = wire.order(postingDate="2026-01-15")
    with wire.setup({"allow_posting_from": "0001-01-01"}, allow_posting_from="2026-02-01"):
        answer = wire.receive(order)
    assert answer.text == "Posting Date is not within your range of allowed posting dates."


def test_dimensions_are_checked_by_line(wire: Wire) -> None:
    order = wire.order(line("8430", lineType="Account"))
    answer = wire.receive(order)
    place = f"Order {order['number']}, line no. 10000"
    assert answer.text.startswith(f"The dimensions used in {place} are invalid. Select a Dimension Value Code")


def test_a_vendor_blocked_meanwhile(wire: Wire) -> None:
    order = wire.order(vendorNumber="20000")
    vendor = {"set": "vendors", "key": "20000"}
    wire.dev("POST", "edit", vendor | {"values": {"blocked": "All"}})
    try:
        answer = wire.receive(order)
    finally:
        wire.dev("POST", "edit", vendor | {"values": {"blocked": "_x0020_"}})
    assert answer.text == "You cannot post this type of document when Vendor 20000 is blocked with type All"


def test_a_field_that_is_missing_loses_its_code_in_posting(wire: Wire) -> None:
    order = wire.order(postingDate="0001-01-01")
    answer = wire.receive(order)
    assert (answer.code, "Posting Date must have a value" in answer.text) == (DIALOG, True)


# receipts


def test_receipts_lead_to_the_order_and_their_lines_do_not(wire: Wire) -> None:
    order = wire.order()
    wire.receive(order)
    (receipt,) = receipts(wire, order)
    assert receipt["orderNumber"] == order["number"]
    assert not [name for name in receipt["purchaseReceiptLines"][0] if "order" in name.lower()]
    for method in ("PATCH", "DELETE"):
        assert wire.call(method, f"purchaseReceipts({receipt['id']})", {}, If_Match="*").status == 405


def test_what_came_is_in_the_item_ledger(wire: Wire) -> None:
    order = wire.order(line(unitOfMeasureCode="BOX"))
    wire.receive(order, 2)
    number = receipts(wire, order)[0]["number"]
    (entry,) = wire.get(f"itemLedgerEntries?$filter=documentNumber eq '{number}'").value
    assert (entry["entryType"], entry["quantity"], entry["costAmountActual"]) == ("Purchase", 24, 0)


# invoices and credit memos


def test_an_invoice_keeps_its_id_and_gets_another_number(wire: Wire) -> None:
    draft = wire.invoice(line(quantity=1, unitCost=2), vendorInvoiceNumber="TRAP-1")
    assert posted(wire, draft).status == 204
    after = wire.get(f"purchaseInvoices({draft['id']})").body
    assert (draft["status"], after["status"], after["number"] != draft["number"]) == ("Draft", "Open", True)
    assert posted(wire, draft).text == "The action can be applied to a draft invoice only."
    changed = wire.patch(f"purchaseInvoices({draft['id']})", {"vendorInvoiceNumber": "X"})
    assert changed.text == "The invoice has been posted and can no longer be modified."


def test_a_standalone_invoice_receives_what_has_come_already(wire: Wire) -> None:
    order = wire.order(line("1007", 5))
    wire.receive(order, 5)
    before = wire.get("items?$filter=number eq '1007'").value[0]["inventory"]
    posted(wire, wire.invoice(line("1007", 5, unitCost=2), vendorInvoiceNumber="TRAP-2"))
    assert wire.get("items?$filter=number eq '1007'").value[0]["inventory"] == before + 5


def test_a_number_of_the_vendor_is_taken_once(wire: Wire) -> None:
    for status in (204, 400):
        answer = posted(wire, wire.invoice(line(quantity=1, unitCost=2), vendorInvoiceNumber="TRAP-3"))
        assert answer.status == status
    assert (answer.code, answer.text) == (DIALOG, "Purchase Invoice TRAP-3 already exists for this vendor.")


def test_an_invoice_is_not_cancelled_and_not_tied_to_an_order(wire: Wire) -> None:
    draft = wire.invoice(line(quantity=1, unitCost=2), vendorInvoiceNumber="TRAP-4")
    assert posted(wire, draft, action="cancel").status == 404
    tied = wire.patch(f"purchaseInvoices({draft['id']})", {"orderNumber": "106001"})
    assert tied.code == "BadRequest_InvalidOperation"


def test_a_credit_memo_names_the_invoice(wire: Wire) -> None:
    draft = wire.invoice(line(quantity=1, unitCost=2), vendorInvoiceNumber="TRAP-5")
    posted(wire, draft)
    number = wire.get(f"purchaseInvoices({draft['id']})").body["number"]
    body = {"vendorNumber": "10000", "invoiceNumber": number, "vendorCreditMemoNumber": "TRAP-C"}
    memo = wire.post("purchaseCreditMemos", body | {"purchaseCreditMemoLines": [line(quantity=1, unitCost=2)]}).body
    assert (posted(wire, memo, "purchaseCreditMemos").status, memo["invoiceId"]) == (204, draft["id"])
    assert wire.get(f"purchaseInvoices({draft['id']})").body["status"] == "Paid"


def test_an_old_tenant_asks_for_the_upgrade_of_credit_memos(wire: Wire) -> None:
    old = {"credit_memos_need_upgrade": True}
    with wire.setup({"purchase_setup": {"credit_memos_need_upgrade": False}}, purchase_setup=old):
        answer = wire.get("purchaseCreditMemos")
    assert (answer.status, answer.text.startswith("You must run the data upgrade for this API page")) == (400, True)
