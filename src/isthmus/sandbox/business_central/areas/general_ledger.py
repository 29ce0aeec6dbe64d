"""`generalLedgerEntries`: what was posted. Append only, in the order of `entryNumber`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Options, key, modified, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

DOCUMENT_TYPE = Options(
    "Gen. Journal Document Type",
    (" ", "Payment", "Invoice", "Credit Memo", "Finance Charge Memo", "Reminder", "Refund"),
)


class GeneralLedgerEntries(EntitySet):
    """No journal id and no external document number are shown: the document number is the key to find them by."""

    name = "generalLedgerEntries"
    entity = "generalLedgerEntry"
    title = "G/L Entry"
    table_id = 17
    storage = Storage("G/L Entry", unique=(("entryNumber",),), groups=("documentNumber", "accountNumber"))
    order = ("entryNumber",)
    dimension_parent = "General Ledger Entry"
    navigations = (
        Navigation("dimensionSetLines", "dimensionSetLines"),
        Navigation("account", "accounts", by="accountId"),
    )
    fields = (
        key(),
        shown("entryNumber", Kind.INT),
        shown("postingDate", Kind.DATE),
        shown("documentNumber", Kind.CODE, 20),
        shown("documentType", Kind.ENUM, options=DOCUMENT_TYPE),
        shown("accountId", Kind.GUID),
        shown("accountNumber", Kind.CODE, 20),
        shown("description", Kind.TEXT, 100),
        shown("debitAmount", Kind.DECIMAL),
        shown("creditAmount", Kind.DECIMAL),
        shown("additionalCurrencyDebitAmount", Kind.DECIMAL),
        shown("additionalCurrencyCreditAmount", Kind.DECIMAL),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is not None:
            raise errors.unknown_segment(self.name)
        return self.table(call)  # written in this order already

    def rows_above(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        """Entries behind a watermark, found from the end: both columns only grow."""
        if parent is not None or column not in {"entryNumber", "lastModifiedDateTime"}:
            return None
        found = []
        for row in reversed(self.table(call).rows.values()):
            if row.values[column] <= value:
                break
            found.append(row)
        return reversed(found)


def write_entry(
    company: Company, tx: Transaction, *, account: Row, amount: Decimal, values: Values, hidden: Values
) -> Row:
    """Append one entry. `values` brings date, document and description; `hidden` dims, transaction and journal."""
    zero = Decimal(0)
    row = {
        "id": company.new_id(),
        "entryNumber": company.count("entry"),
        "documentType": "_x0020_",
        "accountId": account.id,
        "accountNumber": account.values["number"],
        "debitAmount": max(amount, zero),
        "creditAmount": max(-amount, zero),
        "additionalCurrencyDebitAmount": zero,
        "additionalCurrencyCreditAmount": zero,
        **values,
    }
    return company.tables["generalLedgerEntries"].insert(tx, Row(row, hidden))


AREA = Area(sets=(GeneralLedgerEntries(),))
