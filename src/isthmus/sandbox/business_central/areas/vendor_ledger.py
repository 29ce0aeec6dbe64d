"""Vendor ledger entries: what is owed for an invoice or given back by a credit memo. No set of v2.0 shows them; the
status of an invoice follows from them.
"""

from __future__ import annotations

from decimal import Decimal

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

#: Columns: id, entryNumber, vendorNumber, postingDate, documentDate, dueDate, documentType (as in the general ledger),
#: documentNumber, externalDocumentNumber, description, currencyCode, amount and remainingAmount (what is owed is below
#: zero), localAmount, open, onHold. Hidden: document (id), transaction.
ENTRIES = Storage(
    "Vendor Ledger Entry",
    unique=(("entryNumber",),),
    groups=("vendorNumber", "documentNumber", "externalDocumentNumber"),
    decimals=("amount", "remainingAmount", "localAmount"),
)
INVOICE, CREDIT_MEMO = "Invoice", "Credit_x0020_Memo"


def write_vendor_entry(company: Company, tx: Transaction, values: Values, hidden: Values) -> Row:
    """Append one entry and let the vendor's balance follow. `values` brings all but id, entryNumber, remainingAmount,
    open and onHold.
    """
    row = {
        "id": company.new_id(),
        "entryNumber": company.count("vendor entry"),
        "remainingAmount": values["amount"],
        "open": bool(values["amount"]),
        "onHold": "",
        **values,
    }
    entry = company.tables["vendorLedgerEntries"].insert(tx, Row(row, hidden))
    vendor = company.tables["vendors"].the(("number",), values["vendorNumber"])
    move_balance(company, tx, vendor, -values["localAmount"])
    return entry


def move_balance(company: Company, tx: Transaction, vendor: Row, amount: Decimal) -> None:
    """`balance` is a flow field: the vendor keeps its etag and its time of change (assumed)."""

    def add(one: Decimal) -> None:
        vendor.values["balance"] += one
        company.tables["vendors"].dirty = True

    add(amount)
    tx.note(lambda: add(-amount))


def posted_before(company: Company, vendor: str, kind: str, external: str) -> Row | None:
    """The entry of a vendor with this document number of its own, or None. `kind` is INVOICE or CREDIT_MEMO."""
    for row in company.tables["vendorLedgerEntries"].group("externalDocumentNumber", external).values():
        if (row.values["vendorNumber"], row.values["documentType"]) == (vendor, kind):
            return row
    return None


def entry_of(company: Company, number: str, kind: str) -> Row | None:
    """The entry of a posted document by its own number."""
    found = company.tables["vendorLedgerEntries"].group("documentNumber", number).values()
    return next((row for row in found if row.values["documentType"] == kind), None)


def apply(company: Company, tx: Transaction, entry: Row, amount: Decimal) -> Decimal:
    """Settle up to `amount` (of either sign) of an entry; what was settled, with the sign of the entry's remainder."""
    left = entry.values["remainingAmount"]
    settled = left if abs(left) <= abs(amount) else abs(amount).copy_sign(left)
    changes = {"remainingAmount": left - settled, "open": left != settled}
    company.tables["vendorLedgerEntries"].update(tx, entry, changes)
    return settled


AREA = Area(
    tables={"vendorLedgerEntries": ENTRIES},
    references=(Reference("vendors", "vendorLedgerEntries", "vendorNumber"),),
)
