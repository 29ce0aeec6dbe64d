"""A goods receipt as the lens writes it, and what is remembered of its order (bc.json, purchaseReceipts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics.business_central.purchasing.orders import KEY
from isthmus.contract.connector import NativeField
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

RECEIPT_LINES = "purchaseReceiptLines"
#: Fields of the record that the service does not have.
ORDER, ORDER_LINE = "orderId", "orderLineKey"

RECEIPT_FIELDS: tuple[NativeField, ...] = (NativeField(name=ORDER, type="id"),)
RECEIPT_LINE_FIELDS: tuple[NativeField, ...] = (
    NativeField(name=KEY, type="text"),
    NativeField(name=ORDER_LINE, type="text"),
)
_SOURCE = "Correct it at its source, or in the mapping of the receipt."


class AcceptedLine(Struct, frozen=True, kw_only=True):
    """What was accepted of one order line, all lines of the receipt for it together; below zero takes back."""

    key: str
    place: str
    quantity: Decimal


class ReceiptDocument(Struct, frozen=True, kw_only=True):
    """A receipt. Lines that accept nothing are left out."""

    key: str
    mark: str
    order_id: str
    day: date
    lines: tuple[AcceptedLine, ...]


class Known(Struct, frozen=True, kw_only=True):
    """What is remembered of an order: quantity received through us by line number, zeros left out, and its number."""

    received: Mapping[int, Decimal]
    number: str = ""


def parse_receipt(operation: Operation) -> ReceiptDocument:
    """The receipt of an operation. Raises Reject naming the field that cannot be used."""
    native = operation.native
    raw = native.get(RECEIPT_LINES)
    lines: Sequence[Mapping[str, Any]] = raw if isinstance(raw, list | tuple) else ()
    accepted: dict[str, AcceptedLine] = {}
    for index, line in enumerate(lines):
        key = str(line.get(ORDER_LINE) or "").strip()
        place = f"lines[{index}]"
        if not key:
            raise _refused(f"{place}.order_line", "the line names no line of the order.", "order_line_missing")
        earlier = accepted.get(key)
        quantity = _quantity(f"{place}.accepted", line.get("quantity")) + (earlier.quantity if earlier else 0)
        accepted[key] = AcceptedLine(key=key, place=earlier.place if earlier else place, quantity=quantity)
    wanted = tuple(line for line in accepted.values() if line.quantity)
    if not wanted:
        raise _refused("lines", "nothing was accepted, so there is nothing to receive.", "nothing_accepted")
    return ReceiptDocument(
        key=operation.key,
        mark=operation.mark,
        order_id=_order(native.get(ORDER)),
        day=_day(native.get("postingDate")),
        lines=wanted,
    )


def parse_known(expected: Mapping[str, Any]) -> Known:
    """What an operation says is known of its order (`Operation.expected`)."""
    told = expected.get("received") or {}
    received = {int(sequence): Decimal(str(quantity)) for sequence, quantity in told.items()}
    return Known(
        received={sequence: quantity for sequence, quantity in received.items() if quantity},
        number=str(expected.get("order") or ""),
    )


def memo_of(received: Mapping[int, Decimal], number: str) -> dict[str, Any]:
    """The same as it is to be remembered (`Outcome.memo`)."""
    told = {str(sequence): format(quantity, "f") for sequence, quantity in sorted(received.items()) if quantity}
    return {"received": told, "order": number}


def _order(value: object) -> str:
    if not value:
        raise _refused("order", "the receipt names no order.", "no_order")
    return guid(str(value))


def _day(value: object) -> date:
    text = value.isoformat() if isinstance(value, date) else str(value or "")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise _refused("received_on", "the receipt has no usable day.", "posting_date", text) from None


def _quantity(field: str, value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError("a quantity must be a Decimal, not float")
    try:
        quantity = Decimal(str(value))
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite():
        raise _refused(field, "it is not a number.", "bad_number", str(value))
    return quantity


def _refused(field: str, text: str, code: str, value: str = "") -> Reject:
    return Reject(f"{field}: {text}", code=code, field=field, value=value[:60], hint=_SOURCE)
