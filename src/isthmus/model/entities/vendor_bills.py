"""What vendors bill and credit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from isthmus.model.entity import Record, about, entity


class BillLine(Record, frozen=True, kw_only=True):
    """One line of a bill or credit."""

    key: Annotated[str, about("Identity of the line within its document", key=True)]
    order_line: Annotated[str | None, about("Key of the order line it bills")] = None
    item: Annotated[str | None, about("Item number")] = None
    account: Annotated[str | None, about("G/L account, where no item is billed", owner="finance")] = None
    description: Annotated[str | None, about("What is billed")] = None
    quantity: Annotated[Decimal | None, about("Quantity in `unit`")] = None
    unit: Annotated[str | None, about("Unit; empty means the order line's")] = None
    unit_cost: Annotated[Decimal | None, about("Price of one unit")] = None
    amount: Annotated[Decimal, about("Amount of the line without tax")]
    tax: Annotated[Decimal | None, about("Tax on the line", owner="finance")] = None


class Bill(Record, frozen=True, kw_only=True):
    """What bills and credits have in common."""

    number: Annotated[str, about("Our number of the document", key=True)]
    vendor: Annotated[str | None, about("Vendor number", owner="finance")] = None
    vendor_document: Annotated[str | None, about("The vendor's own number of it")] = None
    order: Annotated[str | None, about("Number of the order it bills")] = None
    document_on: Annotated[date | None, about("Date on the document")] = None
    due_on: Annotated[date | None, about("Due date", owner="finance")] = None
    currency: Annotated[str | None, about("Currency, ISO 4217")] = None
    lines: Annotated[tuple[BillLine, ...], about("What is billed")] = ()
    status: Annotated[str | None, about("Status in the system that shows it", owner="finance")] = None
    booked_number: Annotated[str | None, about("Number finance booked it under", owner="finance")] = None


@entity(
    "vendor_invoice", scope="company", number="number", title="Vendor bill", amount="lines.amount", currency="currency"
)
class VendorInvoice(Bill, frozen=True, kw_only=True):
    """A bill of a vendor."""


@entity(
    "vendor_credit_memo", scope="company", number="number", title="Vendor credit",
    amount="lines.amount", currency="currency",
)  # fmt: skip
class VendorCreditMemo(Bill, frozen=True, kw_only=True):
    """A credit of a vendor. Amounts are positive: what is taken back."""

    credits: Annotated[str | None, about("Number of the bill it credits")] = None
