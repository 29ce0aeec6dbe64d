"""Posting of standalone purchase invoices: receive and invoice in one. Item lines make a receipt of their own, so what
an order has received already comes twice (bc.md section 15).
"""

from __future__ import annotations

from typing import cast

from isthmus.sandbox.business_central.areas.purchase_billing import bill
from isthmus.sandbox.business_central.areas.purchase_checks import Posting, check
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments
from isthmus.sandbox.business_central.areas.purchase_posting import send_to_posting
from isthmus.sandbox.business_central.areas.purchase_receiving import receive
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup, series_caption
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.numbering import number_for
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row


def post_invoice(call: Call, invoice: Row) -> None:
    """Post a draft. Raises Refusal."""
    send_to_posting(call, lambda: _post(call, invoice))


def _post(call: Call, invoice: Row) -> None:
    company = call.company
    documents = cast("PurchaseDocuments", entity_sets()["purchaseInvoices"])
    lines = documents.lines_of(company, invoice.id)
    quantities = {line.id: line.values["quantity"] for line in lines}
    external = invoice.values["vendorInvoiceNumber"]
    posting = Posting(call, documents, invoice, lines, quantities, quantities, external)
    check(posting)
    posting.transaction = company.count("transaction")
    if any(posting.item(line) is not None and quantities[line.id] for line in lines):
        receive(posting, order_number="")
    table = company.tables["purchaseInvoices"]
    series = purchase_setup(company).posted_invoice_series
    number = number_for(company, call.tx, table, series, series_caption("posted_invoice_series"))
    entry = bill(posting, invoice, number, {line.id: dict(line.values) for line in lines})
    changes = {
        "number": number,
        "status": "Open" if entry.values["open"] else "Paid",
        "lastModifiedDateTime": call.stamp,
    }
    table.update(call.tx, invoice, changes, {"posted": True, "draft": invoice.values["number"]})
