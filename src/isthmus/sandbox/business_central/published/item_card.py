"""Page 30 Item Card: what v2.0's `items` does not have, above all reorder point and safety stock."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.items import COSTING_METHODS, TYPE
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Options
from isthmus.sandbox.business_central.published.page import Captions, Page, Property, code, decimal, read_only, text
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Values


class _Methods(Options):
    """Costing methods as the table keeps them."""

    @property
    def members(self) -> tuple[str, ...]:
        return COSTING_METHODS


_METHODS = _Methods("Costing Method", ("FIFO", "LIFO", "Specific", "Average", "Standard"))


class ItemCard(Page):
    """Key No. Every write goes the way of `items`, so the same rules hold; `Inventory` is read only here (assumed: on
    the page it opens the entries). Reorder_Point and Safety_Stock_Quantity are called so in bc.md's design notes.
    """

    number = 30
    title_of_page = "Item Card"
    title = "Item"
    table_id = 27
    source = "items"
    keys = ("No",)
    properties = (
        code("No", "number"),
        text("Description", "displayName", 100),
        text("Description_2", "displayName2", 50),
        Property("Blocked", "blocked", Kind.BOOL),
        Property("Type", "type", Kind.ENUM, options=Captions("Item Type", TYPE.names), coded=TYPE),
        code("Base_Unit_of_Measure", "baseUnitOfMeasureCode", 10),
        code("Item_Category_Code", "itemCategoryCode"),
        Property("Purchasing_Blocked", "purchasing_blocked", Kind.BOOL, hidden=True),
        code("GTIN", "gtin", 14),
        read_only("Inventory", "inventory", Kind.DECIMAL),
        Property(
            "Costing_Method",
            "costing_method",
            Kind.ENUM,
            options=Captions("Costing Method", _METHODS.names),
            hidden=True,
            coded=_METHODS,
        ),
        decimal("Unit_Cost", "unitCost", least=Decimal(0)),
        decimal("Unit_Price", "unitPrice", least=Decimal(0)),
        code("Gen_Prod_Posting_Group", "generalProductPostingGroupCode"),
        code("VAT_Prod_Posting_Group", "vat_prod_posting_group", hidden=True),
        code("Inventory_Posting_Group", "inventoryPostingGroupCode"),
        code("Vendor_No", "vendor_number", hidden=True),
        text("Vendor_Item_No", "vendor_item_number", 50, hidden=True),
        decimal("Reorder_Point", "reorder_point", hidden=True),
        decimal("Reorder_Quantity", "reorder_quantity", hidden=True),
        decimal("Safety_Stock_Quantity", "safety_stock", hidden=True, least=Decimal(0)),
    )

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        _check(call, hidden)
        row = _items().create(call, None, plain)
        row.hidden |= hidden
        return row

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        _check(call, hidden)
        if "costing_method" in hidden and call.company.tables["itemLedgerEntries"].group(
            "itemNumber", row.values["number"]
        ):
            text = "You cannot change Costing Method because there are one or more ledger entries for this item."
            raise errors.dialog(text)
        changed = _items().change(call, row, plain) if plain else row
        if not hidden:
            return changed
        return self.table(call).update(call.tx, changed, {"lastModifiedDateTime": call.stamp}, hidden)

    def delete(self, call: Call, row: Row) -> None:
        _items().remove(call, row)


def _items() -> EntitySet:
    return entity_sets()["items"]


def _check(call: Call, hidden: Mapping[str, Any]) -> None:
    vendor = hidden.get("vendor_number", "")
    if vendor and call.company.tables["vendors"].one(("number",), vendor) is None:
        raise errors.no_relation("Vendor No.", "Item", vendor, "Vendor")


PAGES = (ItemCard,)
