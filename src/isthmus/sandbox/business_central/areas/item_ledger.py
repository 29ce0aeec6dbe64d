"""`itemLedgerEntries`: every movement of stock. Append only; location, bin and dimensions are kept, but v2.0 does not
show them (bc.json, itemLedgerEntries).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Options, key, modified, shown
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.tables import Row, Storage, Table, Transaction, Values

ENTRY_TYPE = Options(
    "Item Ledger Entry Type",
    (
        "Purchase",
        "Sale",
        "Positive Adjmt.",
        "Negative Adjmt.",
        "Transfer",
        "Consumption",
        "Output",
        " ",
        "Assembly Consumption",
        "Assembly Output",
    ),
)
SOURCE_TYPE = Options("Analysis Source Type", (" ", "Customer", "Vendor", "Item"))
DOCUMENT_TYPE = Options(
    "Item Ledger Document Type",
    (
        " ",
        "Sales Shipment",
        "Sales Invoice",
        "Sales Return Receipt",
        "Sales Credit Memo",
        "Purchase Receipt",
        "Purchase Invoice",
        "Purchase Return Shipment",
        "Purchase Credit Memo",
        "Transfer Shipment",
        "Transfer Receipt",
        "Service Shipment",
        "Service Invoice",
        "Service Credit Memo",
        "Posted Assembly",
        "Inventory Receipt",
        "Inventory Shipment",
        "Direct Transfer",
    ),
)
_ON_HAND = "on hand"
_WITH_ENTRIES = (
    "You cannot delete Item {key} because it has ledger entries in a fiscal year that has not been closed yet."
)


class ItemLedgerEntries(EntitySet):
    """In order of entryNumber. Hidden: location, bin, dims, external, journal, transaction, lot, serial."""

    name = "itemLedgerEntries"
    entity = "itemLedgerEntry"
    title = "Item Ledger Entry"
    table_id = 32
    storage = Storage("Item Ledger Entry", unique=(("entryNumber",),), groups=("itemNumber", "documentNumber"))
    order = ("entryNumber",)
    fields = (
        key(),
        shown("entryNumber", Kind.INT),
        shown("itemNumber", Kind.CODE, 20),
        shown("postingDate", Kind.DATE),
        shown("entryType", Kind.ENUM, options=ENTRY_TYPE),
        shown("sourceNumber", Kind.CODE, 20),
        shown("sourceType", Kind.ENUM, options=SOURCE_TYPE),
        shown("documentNumber", Kind.CODE, 20),
        shown("documentType", Kind.ENUM, options=DOCUMENT_TYPE),
        shown("description", Kind.TEXT, 100),
        shown("quantity", Kind.DECIMAL),
        shown("salesAmountActual", Kind.DECIMAL),
        shown("costAmountActual", Kind.DECIMAL),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is not None:
            raise errors.unknown_segment(self.name)
        return self.table(call)  # written in this order already

    def rows_above(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        """Entries behind a watermark of entryNumber, found from the end."""
        if parent is not None or column != "entryNumber":
            return None
        found = []
        for row in reversed(self.table(call).rows.values()):
            if row.values[column] <= value:
                break
            found.append(row)
        return reversed(found)


def write_item_entry(company: Company, tx: Transaction, item: Row, values: Values, hidden: Values) -> Row:
    """Append one entry of `item` and let its inventory follow. `values` brings the properties but id, entryNumber and
    itemNumber; `hidden` at least location.
    """
    table = company.tables["itemLedgerEntries"]
    row = {
        "id": company.new_id(),
        "entryNumber": company.count("item entry"),
        "itemNumber": item.values["number"],
        "sourceNumber": "",
        "sourceType": "_x0020_",
        "documentType": "_x0020_",
        "salesAmountActual": Decimal(0),
        **values,
    }
    entry = table.insert(tx, Row(row, hidden))
    _count(company, tx, item, hidden["location"], values["quantity"])
    return entry


def on_hand(company: Company, item: str, location: str | None = None) -> Decimal:
    """Quantity of an item in base units: of one location (blank is one), or of all with None."""
    places = _places(company, company.tables["itemLedgerEntries"]).get(item, {})
    return sum(places.values(), Decimal(0)) if location is None else places.get(location, Decimal(0))


def stock(company: Company) -> dict[str, dict[str, Decimal]]:
    """Quantities by item and location."""
    return _places(company, company.tables["itemLedgerEntries"])


def _places(company: Company, table: Table) -> dict[str, dict[str, Decimal]]:
    """Sums over the entries, kept as long as they are right: an entry adds to them; a rollback or a renaming has them
    made anew.
    """
    known: dict[str, dict[str, Decimal]] | None = table.scratch.get(_ON_HAND)
    if known is None:
        known = table.scratch[_ON_HAND] = {}
        for entry in table:
            places = known.setdefault(entry.values["itemNumber"], {})
            location = entry.hidden["location"]
            places[location] = places.get(location, Decimal(0)) + entry.values["quantity"]
    return known


def _count(company: Company, tx: Transaction, item: Row, location: str, quantity: Decimal) -> None:
    """Add an entry that was just written to the sums and to the item. `inventory` is a flow field: the item keeps its
    etag and its time of change (assumed).
    """
    ledger, items = company.tables["itemLedgerEntries"], company.tables["items"]
    known = ledger.scratch.get(_ON_HAND)
    if known is not None:
        places = known.setdefault(item.values["number"], {})
        places[location] = places.get(location, Decimal(0)) + quantity
    item.values["inventory"] += quantity
    items.dirty = True

    def undo() -> None:
        ledger.scratch.clear()
        item.values["inventory"] -= quantity
        items.dirty = True

    tx.note(undo)


AREA = Area(
    sets=(ItemLedgerEntries(),),
    references=(
        Reference("items", "itemLedgerEntries", "itemNumber", refusal=_WITH_ENTRIES),
        Reference("vendors", "itemLedgerEntries", "sourceNumber", only=("sourceType", "Vendor")),
    ),
)
