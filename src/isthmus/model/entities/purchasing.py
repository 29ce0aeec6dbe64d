"""Purchase requisitions, orders and goods receipts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from isthmus.model.entity import Record, about, entity

RequisitionStatus = Literal["draft", "submitted", "approved", "rejected", "ordered", "cancelled"]
OrderStatus = Literal[
    "draft", "pending", "approved", "rejected", "sent", "partly_received", "received", "closed", "cancelled"
]


class RequisitionLine(Record, frozen=True, kw_only=True):
    """One thing that is asked for. Without `item` it is bought on `account` (a service, a direct delivery)."""

    key: Annotated[str, about("Identity of the line within its requisition", key=True)]
    item: Annotated[str | None, about("Item number")] = None
    account: Annotated[str | None, about("G/L account, where no item is bought", owner="finance")] = None
    description: Annotated[str | None, about("What is asked for")] = None
    quantity: Annotated[Decimal, about("Quantity in `unit`")]
    unit: Annotated[str | None, about("Unit; empty means the item's base unit")] = None
    unit_cost: Annotated[Decimal | None, about("Expected price of one unit")] = None
    amount: Annotated[Decimal | None, about("Expected price of the line, not rounded")] = None
    location: Annotated[str | None, about("Where it is needed")] = None
    needed_on: Annotated[date | None, about("Day it is needed")] = None
    work_order: Annotated[str | None, about("Work order it is needed for")] = None


@entity(
    "purchase_requisition", scope="company", number="number", title="Purchase requisition",
    amount="lines.amount", currency="currency",
)  # fmt: skip
class PurchaseRequisition(Record, frozen=True, kw_only=True):
    """A request to buy. Business Central's API has none: it becomes one draft order or stays in the hub."""

    number: Annotated[str, about("Requisition number", key=True)]
    description: Annotated[str | None, about("What it is about")] = None
    status: Annotated[RequisitionStatus | None, about("Status")] = None
    vendor: Annotated[str | None, about("Number of the proposed vendor")] = None
    requested_by: Annotated[str | None, about("Who asks", sensitivity="personal")] = None
    requested_on: Annotated[date | None, about("Day of the request")] = None
    needed_on: Annotated[date | None, about("Day it is needed")] = None
    currency: Annotated[str | None, about("Currency of the prices, ISO 4217")] = None
    location: Annotated[str | None, about("Where it is needed")] = None
    lines: Annotated[tuple[RequisitionLine, ...], about("What is asked for")] = ()
    modified_at: Annotated[datetime | None, about("Last change in the source, UTC")] = None


class PurchaseOrderLine(Record, frozen=True, kw_only=True):
    """One thing that is ordered. Without `item` it is bought on `account` (a service, a direct delivery)."""

    key: Annotated[str, about("Identity of the line within its order", key=True)]
    item: Annotated[str | None, about("Item number", owner="shared")] = None
    account: Annotated[str | None, about("G/L account, where no item is bought", owner="finance")] = None
    description: Annotated[str | None, about("What is ordered", owner="shared")] = None
    quantity: Annotated[Decimal, about("Quantity in `unit`", owner="shared")]
    unit: Annotated[str | None, about("Unit; empty means the item's base unit", owner="shared")] = None
    unit_cost: Annotated[Decimal | None, about("Price of one unit", owner="shared")] = None
    amount: Annotated[Decimal | None, about("Quantity times price, not rounded", owner="shared")] = None
    location: Annotated[str | None, about("Where it goes", owner="shared")] = None
    expected_on: Annotated[date | None, about("Day it is expected", owner="shared")] = None
    requisition_line: Annotated[str | None, about("Line of the requisition it comes from")] = None
    received: Annotated[Decimal | None, about("Quantity received, as finance counts it", owner="finance")] = None
    invoiced: Annotated[Decimal | None, about("Quantity billed, as finance counts it", owner="finance")] = None
    booked_amount: Annotated[Decimal | None, about("Amount as finance rounds it", owner="finance")] = None


@entity(
    "purchase_order", scope="company", number="number", title="Purchase order",
    amount="lines.amount", currency="currency",
)  # fmt: skip
class PurchaseOrder(Record, frozen=True, kw_only=True):
    """An order to a vendor. Operations make it, finance validates and books it."""

    number: Annotated[str, about("Order number", key=True)]
    requisition: Annotated[str | None, about("Number of the requisition it comes from")] = None
    description: Annotated[str | None, about("What it is about")] = None
    status: Annotated[OrderStatus | None, about("Status")] = None
    vendor: Annotated[str | None, about("Vendor number", owner="shared")] = None
    ordered_on: Annotated[date | None, about("Day of the order", owner="shared")] = None
    expected_on: Annotated[date | None, about("Day the goods are expected", owner="shared")] = None
    currency: Annotated[str | None, about("Currency of the prices, ISO 4217", owner="shared")] = None
    payment_terms: Annotated[str | None, about("Code of the payment terms", owner="finance")] = None
    location: Annotated[str | None, about("Where the goods go", owner="shared")] = None
    buyer: Annotated[str | None, about("Who orders", sensitivity="personal")] = None
    lines: Annotated[tuple[PurchaseOrderLine, ...], about("What is ordered", owner="shared")] = ()
    booked_number: Annotated[str | None, about("Number finance gave it", owner="finance")] = None
    modified_at: Annotated[datetime | None, about("Last change in the source, UTC")] = None
    extra: Annotated[dict[str, Any], about("Custom fields that travel without code")] = msgspec.field(
        default_factory=dict
    )


class ReceiptLine(Record, frozen=True, kw_only=True):
    """What came of one order line. accepted = received - rejected; only what was accepted is booked."""

    key: Annotated[str, about("Identity of the line within its receipt", key=True)]
    order_line: Annotated[str, about("Key of the order line it belongs to")]
    item: Annotated[str | None, about("Item number")] = None
    received: Annotated[Decimal | None, about("Quantity that came, in the order line's unit")] = None
    rejected: Annotated[Decimal | None, about("Quantity of it that was rejected")] = None
    accepted: Annotated[Decimal, about("Quantity of it that was accepted; negative takes back")]
    total: Annotated[Decimal | None, about("Of a correction: accepted by the receipt with all its corrections")] = None
    unit: Annotated[str | None, about("Unit, where it is not the order line's")] = None
    lot: Annotated[str | None, about("Lot number")] = None
    serial: Annotated[str | None, about("Serial number")] = None


@entity("receipt", scope="company", number="number", title="Goods receipt", amount="lines.accepted")
class Receipt(Record, frozen=True, kw_only=True):
    """Goods that came for an order."""

    number: Annotated[str, about("Receipt number", key=True)]
    order: Annotated[str, about("Number of the order")]
    received_on: Annotated[date | None, about("Day the goods came")] = None
    delivery_note: Annotated[str | None, about("Number of the vendor's delivery note")] = None
    location: Annotated[str | None, about("Where they came to")] = None
    received_by: Annotated[str | None, about("Who took them in", sensitivity="personal")] = None
    lines: Annotated[tuple[ReceiptLine, ...], about("What came")] = ()
    corrects: Annotated[str | None, about("Number of the receipt this one takes back or mends")] = None
    booked_number: Annotated[str | None, about("Number finance booked it under", owner="finance")] = None
