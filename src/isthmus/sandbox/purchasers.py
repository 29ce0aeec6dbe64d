"""What people do with purchase documents in Business Central itself: receive, post, release, reopen, approve, edit,
delete, pay.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, cast

import msgspec

from isthmus.sandbox.business_central.areas.purchase_credit_posting import post_credit_memo
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments
from isthmus.sandbox.business_central.areas.purchase_invoice_posting import post_invoice
from isthmus.sandbox.business_central.areas.purchase_order_posting import post_order
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup
from isthmus.sandbox.business_central.areas.vendor_ledger import INVOICE, apply, entry_of, move_balance
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row
from isthmus.sandbox.people import outside_call
from isthmus.sandbox.world import World

_SETS = {"order": "purchaseOrders", "invoice": "purchaseInvoices", "credit_memo": "purchaseCreditMemos"}
#: What a person does to the status of an order: from which ones, to which.
_STATUS = {
    "release": ({"Draft", "In_x0020_Review"}, "Open"),
    "reopen": ({"Open"}, "Draft"),
    "request_approval": ({"Draft"}, "In_x0020_Review"),
    "reject": ({"In_x0020_Review"}, "Draft"),
}


class Purchase(msgspec.Struct, forbid_unknown_fields=True):
    """One thing done to one document, named by its number. `line` is a sequence; `lines` are quantities by sequence."""

    do: Literal["receive", "post", "edit", "add", "remove", "release", "reopen", "request_approval", "reject", "pay"]
    number: str
    document: Literal["order", "invoice", "credit_memo"] = "order"
    line: int = 0
    lines: dict[str, Decimal] = {}
    values: dict[str, Any] = {}
    #: post: what of the quantities on the lines is posted, and the vendor's number of the bill.
    receive: bool = True
    invoice: bool = True
    vendor_number: str = ""


def do(world: World, company: Company, given: Purchase) -> dict[str, Any]:
    """What there is of the document afterwards. Raises Refusal where Business Central would refuse, ValueError for a
    document, a line or a status that is not there.
    """
    call = outside_call(world, company, "PATCH")
    try:
        _DOINGS.get(given.do, _change_status)(call, given)
    except BaseException:
        call.tx.rollback()
        raise
    call.tx.commit()
    world.touched = True
    return standing(company, given.number)


def standing(company: Company, number: str) -> dict[str, Any]:
    """An order with its lines, and what was posted for it; quantities and amounts as text."""
    orders = company.tables["purchaseOrders"]
    order = orders.one(("number",), number)
    lines = _documents("order").lines_of(company, order.id) if order is not None else []
    receipts = company.tables["purchaseReceipts"].group("orderNumber", number).values()
    invoices = company.tables["purchaseInvoices"].group("orderNumber", number).values()
    return {
        "number": number,
        "status": order.values["status"] if order is not None else None,
        "lines": [_line(line) for line in lines],
        "receipts": [_receipt(company, receipt) for receipt in receipts],
        "invoices": [
            {
                "number": row.values["number"],
                "vendor_number": row.values["vendorInvoiceNumber"],
                "status": row.values["status"],
                "amount": str(row.values["totalAmountIncludingTax"]),
            }
            for row in invoices
        ],
    }


def _line(line: Row) -> dict[str, Any]:
    values = line.values
    names = {"ordered": "quantity", "received": "receivedQuantity", "invoiced": "invoicedQuantity"}
    shown = {name: str(values[column]) for name, column in names.items()}
    return {"line": values["sequence"], "item": values["lineObjectNumber"], "text": values["description"], **shown}


def _receipt(company: Company, receipt: Row) -> dict[str, Any]:
    lines = company.tables["purchaseReceiptLines"].group("documentId", receipt.id).values()
    received = {str(line.values["sequence"]): str(line.values["quantity"]) for line in lines if line.values["quantity"]}
    return {"number": receipt.values["number"], "date": receipt.values["postingDate"], "lines": received}


def _documents(kind: str) -> PurchaseDocuments:
    return cast("PurchaseDocuments", entity_sets()[_SETS[kind]])


def _found(company: Company, given: Purchase) -> Row:
    table = company.tables[_SETS[given.document]]
    row = table.one(("number",), given.number.strip().upper())
    if row is None:
        raise ValueError(f"number {given.number!r}: company {company.name!r} has no such {given.document}")
    return row


def _found_line(company: Company, given: Purchase, header: Row, sequence: int) -> Row:
    lines = _documents(given.document).lines_of(company, header.id)
    found = next((line for line in lines if line.values["sequence"] == sequence), None)
    if found is None:
        known = ", ".join(str(line.values["sequence"]) for line in lines)
        raise ValueError(f"line {sequence}: {given.document} {given.number} has {known or 'no lines'}")
    return found


def _line_set(given: Purchase) -> EntitySet:
    return entity_sets()[_documents(given.document).lines]


def _receive(call: Call, given: Purchase) -> None:
    """Receive these quantities of these lines and nothing of the others; without lines all that is outstanding."""
    company, order = call.company, _found(call.company, given)
    line_set = _line_set(given)
    wanted = {int(name): quantity for name, quantity in given.lines.items()}
    for sequence in wanted:
        _found_line(company, given, order, sequence)
    for line in _documents("order").lines_of(company, order.id):
        values = line.values
        outstanding = values["quantity"] - values["receivedQuantity"]
        quantity = wanted.get(values["sequence"], Decimal(0)) if wanted else outstanding
        line_set.change(call, line, {"receiveQuantity": quantity})
    post_order(call, order, invoicing=False)


def _post(call: Call, given: Purchase) -> None:
    company, header = call.company, _found(call.company, given)
    if given.document == "invoice":
        post_invoice(call, header)
    elif given.document == "credit_memo":
        post_credit_memo(call, header)
    else:
        if given.vendor_number:
            stamped = {"lastModifiedDateTime": call.stamp}
            company.tables["purchaseOrders"].update(call.tx, header, stamped, {"vendor_document": given.vendor_number})
        post_order(call, header, receiving=given.receive, invoicing=given.invoice)


def _edit(call: Call, given: Purchase) -> None:
    header = _found(call.company, given)
    entity_set: EntitySet = _documents(given.document)
    row = header
    if given.line:
        entity_set, row = _line_set(given), _found_line(call.company, given, header, given.line)
    values, _ = entity_set.read_body(call, given.values)
    entity_set.change(call, row, values)


def _add(call: Call, given: Purchase) -> None:
    header, line_set = _found(call.company, given), _line_set(given)
    values, _ = line_set.read_body(call, given.values)
    line_set.create(call, Parent(_documents(given.document), header), values)


def _remove(call: Call, given: Purchase) -> None:
    header = _found(call.company, given)
    if given.line:
        _line_set(given).remove(call, _found_line(call.company, given, header, given.line))
    else:
        _documents(given.document).remove(call, header)


def _change_status(call: Call, given: Purchase) -> None:
    order = _found(call.company, given)
    allowed, status = _STATUS[given.do]
    if given.do == "request_approval" and not purchase_setup(call.company).approval_workflow:
        raise ValueError("request_approval: the company has no approval_workflow in its purchase_setup")
    if order.values["status"] not in allowed:
        raise ValueError(f"{given.do}: order {given.number} is {order.values['status']}, not {' or '.join(allowed)}")
    changes = {"status": status, "lastModifiedDateTime": call.stamp}
    call.company.tables["purchaseOrders"].update(call.tx, order, changes)


def _pay(call: Call, given: Purchase) -> None:
    """Pay what is open of a posted invoice. The payment itself is not booked."""
    company, number = call.company, given.number.strip().upper()
    entry, table = entry_of(company, number, INVOICE), company.tables["purchaseInvoices"]
    invoice = table.one(("number",), number)
    if entry is None or invoice is None or not entry.values["open"]:
        raise ValueError(f"number {given.number!r}: no posted invoice of this number is open")
    whole = entry.values["amount"]
    settled = apply(company, call.tx, entry, entry.values["remainingAmount"])
    vendor = company.tables["vendors"].the(("number",), entry.values["vendorNumber"])
    move_balance(company, call.tx, vendor, company.round(entry.values["localAmount"] * settled / whole))
    table.update(call.tx, invoice, {"status": "Paid", "lastModifiedDateTime": call.stamp})


_DOINGS: dict[str, Callable[[Call, Purchase], None]] = {
    "receive": _receive,
    "post": _post,
    "edit": _edit,
    "add": _add,
    "remove": _remove,
    "pay": _pay,
}
