"""Items, units, and how many of one make the other: owned by finance."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from isthmus.model.entity import Record, about, entity

ItemType = Literal["stock", "non_stock", "service"]
#: What has to be told of each piece when it moves; such items cannot be moved by standard calls (bc.md §15).
Tracking = Literal["none", "lot", "serial"]


@entity("unit_of_measure", scope="company", number="code", title="Unit of measure")
class UnitOfMeasure(Record, frozen=True, kw_only=True):
    """A unit as finance names it."""

    code: Annotated[str, about("Code", owner="finance", key=True)]
    name: Annotated[str | None, about("Name", owner="finance")] = None
    standard_code: Annotated[str | None, about("Code of UN/ECE Recommendation 20", owner="finance")] = None


@entity("item", scope="company", number="number", title="Item")
class Item(Record, frozen=True, kw_only=True):
    """A part or a service that is bought, stored or used."""

    number: Annotated[str, about("Item number", owner="finance", key=True)]
    name: Annotated[str | None, about("Description", owner="finance")] = None
    type: Annotated[ItemType | None, about("Whether stock is kept of it", owner="finance")] = None
    category: Annotated[str | None, about("Item category", owner="finance")] = None
    base_unit: Annotated[str | None, about("Unit stock is kept in", owner="finance")] = None
    unit_cost: Annotated[Decimal | None, about("Cost of one base unit, company currency", owner="finance")] = None
    unit_price: Annotated[Decimal | None, about("Sales price of one base unit", owner="finance")] = None
    barcode: Annotated[str | None, about("GTIN", owner="finance")] = None
    blocked: Annotated[bool | None, about("Blocked for all transactions", owner="finance")] = None
    tracking: Annotated[Tracking | None, about("Lot or serial numbers are needed", owner="finance")] = None
    on_hand: Annotated[Decimal | None, about("Stock in base units as finance counts it", owner="finance")] = None
    reorder_point: Annotated[Decimal | None, about("Order when stock falls to this", owner="operations")] = None
    safety_stock: Annotated[Decimal | None, about("Stock kept for emergencies", owner="operations")] = None


@entity("item_unit", scope="company", number="key", title="Item unit")
class ItemUnit(Record, frozen=True, kw_only=True):
    """A unit an item is handled in: one `unit` is `factor` base units. A box of 10: factor 10."""

    key: Annotated[str, about("ITEM/UNIT", owner="finance", key=True)]
    item: Annotated[str, about("Item number", owner="finance")]
    unit: Annotated[str, about("Code of the unit", owner="finance")]
    factor: Annotated[Decimal, about("Base units in one of it", owner="finance")]
