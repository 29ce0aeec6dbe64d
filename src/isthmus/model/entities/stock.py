"""Stock transactions: operations move goods, finance values them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from isthmus.model.entity import Record, about, entity

MovementType = Literal["issue", "return", "adjustment", "transfer", "count"]


@entity("inventory_transaction", scope="company", number="number", title="Stock transaction")
class InventoryTransaction(Record, frozen=True, kw_only=True):
    """One movement of one item. Issues and returns are told as positive quantities; an adjustment has a sign."""

    number: Annotated[str, about("Number of the transaction", key=True)]
    type: Annotated[MovementType, about("Issue, return, adjustment, transfer or count", owner="shared")]
    item: Annotated[str, about("Item number", owner="shared")]
    quantity: Annotated[Decimal, about("Quantity in `unit`; of a count: what was counted", owner="shared")]
    base_quantity: Annotated[Decimal | None, about("The same in the item's base unit", owner="shared")] = None
    unit: Annotated[str | None, about("Unit; empty means the item's base unit", owner="shared")] = None
    location: Annotated[str | None, about("Where it moves, or moves from", owner="shared")] = None
    to_location: Annotated[str | None, about("Where a transfer goes", owner="shared")] = None
    bin: Annotated[str | None, about("Bin", owner="shared")] = None
    lot: Annotated[str | None, about("Lot number", owner="shared")] = None
    serial: Annotated[str | None, about("Serial number", owner="shared")] = None
    happened_on: Annotated[date | None, about("Local day, where the source knows no time", owner="shared")] = None
    happened_at: Annotated[datetime | None, about("Moment, UTC", owner="shared")] = None
    unit_cost: Annotated[Decimal | None, about("Cost of one unit, where the source values it", owner="finance")] = None
    work_order: Annotated[str | None, about("Work order it was for", owner="shared")] = None
    asset: Annotated[str | None, about("Asset it was for", owner="shared")] = None
    cost_centre: Annotated[str | None, about("Cost centre it was for", owner="finance")] = None
    reason: Annotated[str | None, about("Why", owner="shared")] = None
    counted_as: Annotated[Decimal | None, about("Of a count: stock expected when it was frozen", owner="shared")] = None
