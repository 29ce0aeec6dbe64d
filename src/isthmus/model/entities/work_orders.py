"""Work orders with their cost lines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from isthmus.model.entity import Record, about, entity

WorkOrderStatus = Literal["open", "in_progress", "on_hold", "completed", "cancelled"]
CostKind = Literal["labour", "part", "contractor", "other"]
#: Who values and books the other side (semantics.md, money): stock = the item entry, invoice = the vendor's bill,
#: payroll = wages, direct = nobody else.
CostSource = Literal["stock", "invoice", "payroll", "direct"]


class CostLine(Record, frozen=True, kw_only=True):
    """One cost of a work order. A negative amount is a credit."""

    key: Annotated[str, about("Identity of the line within its order", key=True)]
    kind: Annotated[CostKind, about("Labour, part, contractor or other")]
    source: Annotated[CostSource, about("Where the other side of this cost is booked")]
    amount: Annotated[Decimal, about("Cost in the order's currency; negative is a credit")]
    description: Annotated[str | None, about("What it was for")] = None
    item: Annotated[str | None, about("Item number of a part")] = None
    quantity: Annotated[Decimal | None, about("Hours or pieces")] = None
    unit: Annotated[str | None, about("Unit of the quantity")] = None
    vendor: Annotated[str | None, about("Vendor number of a contractor")] = None
    employee: Annotated[str | None, about("Employee number", sensitivity="personal")] = None


@entity("work_order", scope="company", number="number", title="Work order", amount="lines.amount", currency="currency")
class WorkOrder(Record, frozen=True, kw_only=True):
    """Maintenance work on one asset, with what it cost."""

    number: Annotated[str, about("Work order number", key=True)]
    description: Annotated[str | None, about("Short text")] = None
    category: Annotated[str | None, about("Category or cost class, e.g. PM01")] = None
    type: Annotated[str | None, about("Kind of work, e.g. corrective")] = None
    branch: Annotated[str | None, about("Branch or plant")] = None
    asset: Annotated[str | None, about("Asset number")] = None
    location: Annotated[str | None, about("Location number")] = None
    cost_centre: Annotated[str | None, about("Cost centre, where the source knows it")] = None
    status: Annotated[WorkOrderStatus | None, about("Status")] = None
    started_on: Annotated[date | None, about("First day of work")] = None
    completed_at: Annotated[datetime | None, about("Moment of completion, UTC")] = None
    completed_on: Annotated[date | None, about("Local day of completion, where the source knows no time")] = None
    currency: Annotated[str | None, about("Currency of the cost lines, ISO 4217")] = None
    lines: Annotated[tuple[CostLine, ...], about("Cost lines")] = ()
    modified_at: Annotated[datetime | None, about("Last change in the source, UTC")] = None
    extra: Annotated[dict[str, Any], about("Custom fields that travel without code")] = msgspec.field(
        default_factory=dict
    )
