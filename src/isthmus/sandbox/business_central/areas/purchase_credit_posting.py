"""Posting and cancelling of purchase credit memos (bc.md section 15)."""

from __future__ import annotations

from typing import cast

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_billing import bill
from isthmus.sandbox.business_central.areas.purchase_checks import Posting, check
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments, due_date
from isthmus.sandbox.business_central.areas.purchase_posting import send_to_posting
from isthmus.sandbox.business_central.areas.purchase_receiving import move_stock
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup, series_caption
from isthmus.sandbox.business_central.areas.vendor_ledger import CREDIT_MEMO, INVOICE, apply, entry_of
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.numbering import number_for
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Transaction, Values


def post_credit_memo(call: Call, memo: Row) -> None:
    """Post a draft; what it is applied to is settled with it. Raises Refusal."""
    documents = _documents("purchaseCreditMemos")
    if not documents.lines_of(call.company, memo.id):
        raise errors.dialog("Please add at least one line item to the credit memo.")
    send_to_posting(call, lambda: _post(call, documents, memo))


def _documents(name: str) -> PurchaseDocuments:
    return cast("PurchaseDocuments", entity_sets()[name])


def _post(call: Call, documents: PurchaseDocuments, memo: Row) -> None:
    company = call.company
    lines = documents.lines_of(company, memo.id)
    quantities = {line.id: line.values["quantity"] for line in lines}
    external = memo.values["vendorCreditMemoNumber"]
    posting = Posting(call, documents, memo, lines, quantities, quantities, external, sign=-1)
    check(posting)
    posting.transaction = company.count("transaction")
    table = company.tables["purchaseCreditMemos"]
    series = purchase_setup(company).posted_credit_memo_series
    number = number_for(company, call.tx, table, series, series_caption("posted_credit_memo_series"))
    move_stock(posting, number)
    entry = bill(posting, memo, number, {line.id: dict(line.values) for line in lines})
    _settle(company, call.tx, entry, memo.values["invoiceNumber"])
    changes = {
        "number": number,
        "status": "Open" if entry.values["open"] else "Paid",
        "lastModifiedDateTime": call.stamp,
    }
    table.update(call.tx, memo, changes, {"posted": True, "draft": memo.values["number"]})


def _settle(company: Company, tx: Transaction, entry: Row, invoice_number: str) -> None:
    """Apply a credit memo to an invoice as far as both go."""
    owed = entry_of(company, invoice_number, INVOICE) if invoice_number else None
    if owed is None or not owed.values["open"]:
        return
    settled = apply(company, tx, owed, entry.values["remainingAmount"])
    apply(company, tx, entry, settled)
    if not owed.values["open"]:
        table = company.tables["purchaseInvoices"]
        table.update(tx, table.the(("number",), invoice_number), {"status": "Paid"})


def cancel_credit_memo(call: Call, memo: Row) -> None:
    """Take a posted credit memo back by a corrective invoice, which is posted with it (bc.json, cancel). That stock and
    accounts move back by it, and that it has the number of the credit memo as the vendor's, is assumed.
    """
    send_to_posting(call, lambda: _cancel(call, memo))


def _cancel(call: Call, memo: Row) -> None:
    company = call.company
    memos, invoices = _documents("purchaseCreditMemos"), _documents("purchaseInvoices")
    table, lines = company.tables["purchaseInvoices"], company.tables["purchaseInvoiceLines"]
    setup = purchase_setup(company)
    number = number_for(company, call.tx, table, setup.posted_invoice_series, series_caption("posted_invoice_series"))
    values: Values = {name: memo.values.get(name, value) for name, value in invoices.blank.items()}
    values |= {
        "id": company.new_id(),
        "number": number,
        "postingDate": call.stamp[:10],
        "invoiceDate": call.stamp[:10],
        "dueDate": due_date(company, memo.hidden["terms"], call.stamp[:10]),
        "vendorInvoiceNumber": memo.values["number"],
        "status": "Corrective",
        "lastModifiedDateTime": call.stamp,
    }
    invoice = table.insert(call.tx, Row(values, dict(memo.hidden)))
    for line in memos.lines_of(company, memo.id):
        shown = {name: line.values.get(name, value) for name, value in _lines_blank().items()}
        shown |= {"id": company.new_id(), "documentId": invoice.id}
        lines.insert(call.tx, Row(shown, dict(line.hidden)))
    copied = invoices.lines_of(company, invoice.id)
    quantities = {line.id: line.values["quantity"] for line in copied}
    posting = Posting(call, invoices, invoice, copied, quantities, quantities, memo.values["number"])
    check(posting)
    posting.transaction = company.count("transaction")
    move_stock(posting, number)
    entry = bill(posting, invoice, number, {line.id: dict(line.values) for line in copied})
    credit = entry_of(company, memo.values["number"], CREDIT_MEMO)
    if credit is not None and credit.values["open"]:
        apply(company, call.tx, entry, apply(company, call.tx, credit, entry.values["remainingAmount"]))
    changes = {"status": "Canceled", "lastModifiedDateTime": call.stamp}
    company.tables["purchaseCreditMemos"].update(call.tx, memo, changes)


def _lines_blank() -> Values:
    return entity_sets()["purchaseInvoiceLines"].blank
