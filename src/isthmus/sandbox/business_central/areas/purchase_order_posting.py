"""Posting of purchase orders: receipts and bills by what the lines say, and what is left of the order (bc.md section
15).
"""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_billing import bill, billed_amounts
from isthmus.sandbox.business_central.areas.purchase_checks import Posting, check
from isthmus.sandbox.business_central.areas.purchase_fields import COMMENT
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments, due_date
from isthmus.sandbox.business_central.areas.purchase_order_lines import outstanding
from isthmus.sandbox.business_central.areas.purchase_posting import send_to_posting
from isthmus.sandbox.business_central.areas.purchase_receiving import receive
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup, series_caption
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.numbering import number_for
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Values

#: Properties of an invoice line that its order line has under another name.
_PRICE = "unitCost"


def post_order(call: Call, order: Row, *, receiving: bool = True, invoicing: bool = True) -> Row | None:
    """Post an order by the quantities of its lines. Returns the invoice, or None where nothing was to be invoiced.
    Raises Refusal.
    """
    if order.values["status"] != "Open" and purchase_setup(call.company).approval_workflow:
        number = order.values["number"]
        text = f"Purchase Order {number} must be approved and released before you can perform this action."
        raise errors.dialog(text)
    return send_to_posting(call, lambda: _post(call, order, receiving, invoicing))


def _post(call: Call, order: Row, receiving: bool, invoicing: bool) -> Row | None:
    documents = cast("PurchaseDocuments", entity_sets()["purchaseOrders"])
    lines = documents.lines_of(call.company, order.id)
    posting = Posting(
        call,
        documents,
        order,
        lines,
        {line.id: line.values["receiveQuantity"] for line in lines} if receiving else {},
        {line.id: line.values["invoiceQuantity"] for line in lines} if invoicing else {},
        order.hidden["vendor_document"],
        entries={line.id: list(line.hidden["entries"]) for line in lines},
    )
    _check_invoiced(posting)
    check(posting)
    posting.transaction = call.company.count("transaction")
    if any(posting.receive.values()):
        receive(posting, order_number=order.values["number"])
    invoice = _invoice(posting) if any(posting.invoice.values()) else None
    _update(posting)
    return invoice


def _check_invoiced(posting: Posting) -> None:
    """No more is invoiced than will have been received."""
    for line in posting.lines:
        values = line.values
        received = values["receivedQuantity"] + posting.receive.get(line.id, Decimal(0))
        if abs(values["invoicedQuantity"] + posting.invoice.get(line.id, Decimal(0))) > abs(received):
            number = posting.header.values["number"]
            raise errors.dialog(f"You cannot invoice order {number} for more than you have received.")


def _invoice(posting: Posting) -> Row:
    """A posted invoice with a line for every line of the order, with quantity 0 where nothing is billed."""
    company, call, order = posting.company, posting.call, posting.header
    table, line_table = company.tables["purchaseInvoices"], company.tables["purchaseInvoiceLines"]
    series = purchase_setup(company).posted_invoice_series
    number = number_for(company, call.tx, table, series, series_caption("posted_invoice_series"))
    billed = {line.id: billed_amounts(posting, line) for line in posting.lines}
    day = order.values["orderDate"]
    values = {name: order.values.get(name, value) for name, value in entity_sets()["purchaseInvoices"].blank.items()}
    values |= {
        "id": company.new_id(),
        "number": number,
        "invoiceDate": day,
        "dueDate": due_date(company, order.hidden["terms"], day),
        "vendorInvoiceNumber": posting.external,
        "orderId": order.id,
        "orderNumber": order.values["number"],
        "lastModifiedDateTime": call.stamp,
        **sums(billed.values()),
    }
    kept = {name: order.hidden[name] for name in ("gen_bus", "vat_bus", "vendor_group", "terms")}
    hidden = {**kept, "dims": dict(order.hidden["dims"]), "posted": True, "vendor_document": "", "receipts": False}
    invoice = table.insert(call.tx, Row(values, hidden))
    blank = entity_sets()["purchaseInvoiceLines"].blank
    for line in posting.lines:
        shown = {name: billed[line.id].get(name, value) for name, value in blank.items()}
        shown |= {"id": company.new_id(), "documentId": invoice.id, _PRICE: line.values[posting.documents.price]}
        line_table.insert(call.tx, Row(shown, line.hidden | {"dims": dict(line.hidden["dims"]), "entries": []}))
    entry = bill(posting, invoice, number, billed)
    table.update(call.tx, invoice, {"status": "Open" if entry.values["open"] else "Paid"})
    return invoice


def sums(lines: object) -> Values:
    """Totals of a bill from the amounts of its lines."""
    found = list(cast("list[Values]", lines))
    return {
        "totalAmountExcludingTax": sum((one["netAmount"] for one in found), Decimal(0)),
        "totalTaxAmount": sum((one["netTaxAmount"] for one in found), Decimal(0)),
        "totalAmountIncludingTax": sum((one["netAmountIncludingTax"] for one in found), Decimal(0)),
        "discountAmount": sum((one["invoiceDiscountAllocation"] for one in found), Decimal(0)),
    }


def _update(posting: Posting) -> None:
    """What posting leaves of the order: quantities as bc.md section 15 tells, released; nothing, when all is billed."""
    company, call, order = posting.company, posting.call, posting.header
    table = company.tables["purchaseOrderLines"]
    remainder = purchase_setup(company).default_qty_to_receive == "remainder"
    for line in posting.lines:
        if line.values["lineType"] == COMMENT:
            continue
        values = dict(line.values)
        values["receivedQuantity"] += posting.receive.get(line.id, Decimal(0))
        values["invoicedQuantity"] += posting.invoice.get(line.id, Decimal(0))
        values["receiveQuantity"] = outstanding(values) if remainder else Decimal(0)
        values["invoiceQuantity"] = values["receivedQuantity"] - values["invoicedQuantity"]
        table.update(call.tx, line, values, {"entries": posting.entries.get(line.id, [])})
    ordered = [line.values for line in posting.lines if line.values["lineType"] != COMMENT]
    if all(one["invoicedQuantity"] == one["quantity"] for one in ordered):
        for line in posting.lines:
            table.delete(call.tx, line)
        company.tables["purchaseOrders"].delete(call.tx, order)
        return
    changes = {"status": "Open", "lastModifiedDateTime": call.stamp}
    changes |= posting.documents.follow_up(company, order)
    company.tables["purchaseOrders"].update(call.tx, order, changes)
