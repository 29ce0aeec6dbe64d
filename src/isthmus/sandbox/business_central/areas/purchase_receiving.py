"""The receipt of a posting: its documents, its movements of stock, and what is expected to be billed for them."""

from __future__ import annotations

from decimal import Decimal

from isthmus.sandbox.business_central.areas.general_ledger import write_entry
from isthmus.sandbox.business_central.areas.purchase_checks import Posting, movement
from isthmus.sandbox.business_central.areas.purchase_headers import due_date
from isthmus.sandbox.business_central.areas.purchase_objects import PURCHASE_TYPE
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup, series_caption
from isthmus.sandbox.business_central.fields import NO_DATE
from isthmus.sandbox.business_central.money import factor, rounded
from isthmus.sandbox.business_central.numbering import number_for
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.stock import post_movement
from isthmus.sandbox.business_central.tables import Row

_LINE = ("sequence", "lineObjectNumber", "description", "unitOfMeasureCode", "discountPercent", "taxPercent")


def receive(posting: Posting, *, order_number: str) -> Row:
    """Write the receipt with a line for every line of the document, and move the stock. Notes in `posting.entries` what
    there is to bill.
    """
    company, call = posting.company, posting.call
    receipts = company.tables["purchaseReceipts"]
    series = purchase_setup(company).receipt_series
    number = number_for(company, call.tx, receipts, series, series_caption("receipt_series"))
    header, blank = posting.header.values, entity_sets()["purchaseReceipts"].blank
    day = header[posting.documents.date_name]
    values = {name: header.get(name, value) for name, value in blank.items()}
    values |= {
        "id": company.new_id(),
        "number": number,
        "invoiceDate": day,
        "dueDate": header.get("dueDate") or due_date(company, posting.header.hidden["terms"], day),
        "orderNumber": order_number,
        "lastModifiedDateTime": call.stamp,
    }
    receipt = receipts.insert(call.tx, Row(values, {"dims": dict(posting.header.hidden["dims"])}))
    for line in posting.lines:
        _write_line(posting, receipt, line)
    move_stock(posting, number)
    return receipt


def _write_line(posting: Posting, receipt: Row, line: Row) -> None:
    company = posting.company
    quantity = posting.receive.get(line.id, Decimal(0))
    values = {
        "id": company.new_id(),
        "documentId": receipt.id,
        **{name: line.values[name] for name in _LINE},
        "lineType": PURCHASE_TYPE[line.values["lineType"]],
        "description2": line.values.get("description2", ""),
        "unitCost": line.values[posting.documents.price],
        "quantity": quantity,
        "expectedReceiptDate": line.values.get("expectedReceiptDate", NO_DATE),
    }
    hidden = {"dims": dict(line.hidden["dims"]), "order_line": line.id, "location": line.hidden["location"]}
    table = company.tables["purchaseReceiptLines"]
    order = {name: values[name] for name in entity_sets()["purchaseReceiptLines"].blank}
    table.insert(posting.call.tx, Row(order, hidden))


def move_stock(posting: Posting, number: str) -> None:
    """Item ledger entries of the lines that are stock; services and non-inventory items have none (assumed)."""
    company, tx, stamp = posting.company, posting.call.tx, posting.call.stamp
    for line in posting.lines:
        item, quantity = posting.item(line), posting.receive.get(line.id)
        if item is None or not quantity or item.values["type"] != "Inventory":
            continue
        entry = post_movement(company, tx, movement(posting, line, item, number), posting.transaction, stamp)
        cost = expected_cost(posting, line, quantity)
        book_expected(posting, line, cost, number)
        posting.entries.setdefault(line.id, []).append([entry.id, str(entry.values["quantity"]), str(cost)])


def expected_cost(posting: Posting, line: Row, quantity: Decimal) -> Decimal:
    """What the quantity will cost by the line, in the company's currency."""
    company, header = posting.company, posting.header.values
    if not purchase_setup(company).expected_cost_posting or not line.values["quantity"]:
        return Decimal(0)
    part = line.values["netAmount"] * quantity / line.values["quantity"] * posting.sign
    worth = factor(company, header["currencyCode"], header["postingDate"])
    return rounded(part * worth, company.setup.amount_precision)


def book_expected(posting: Posting, line: Row, cost: Decimal, number: str) -> None:
    """Debit the interim account of stock, credit that of goods received and not invoiced; below zero the way back."""
    company, call = posting.company, posting.call
    if not cost:
        return
    setup = purchase_setup(company)
    values = {
        "postingDate": posting.header.values["postingDate"],
        "documentNumber": number,
        "description": line.values["description"],
        "lastModifiedDateTime": call.stamp,
    }
    sides = ((setup.interim_inventory_account, cost), (setup.interim_accrual_account, -cost))
    for account_number, amount in sides:
        account = company.tables["accounts"].the(("number",), account_number.upper())
        hidden = ledger_hidden(posting, line)
        write_entry(company, call.tx, account=account, amount=amount, values=values, hidden=hidden)


def ledger_hidden(posting: Posting, line: Row | None) -> dict[str, object]:
    """What a G/L entry of a purchase document keeps to itself."""
    dims = (line or posting.header).hidden["dims"]
    return {
        "dims": dict(dims),
        "transaction": posting.transaction,
        "journal": "",
        "drafted": posting.header.values["number"],
        "external": posting.external,
    }
