"""What a receipt means for the lines of its order: quantities to set, and what the order shows before and after.

Posting an order receives `receiveQuantity` of every line, and invoices unless every `invoiceQuantity` is 0. Setting the
one recalculates the other, therefore two rounds, and a look at all lines before anything is posted (bc.md §15). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.purchasing.marks import take_back_text
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import is_blank
from isthmus.connectors.dynamics.business_central.purchasing.orders import LINES, Order, OrderLine
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import (
    AcceptedLine,
    ReceiptDocument,
    memo_of,
)
from isthmus.errors import Reject

Quantities = Mapping[int, Decimal]
NONE: Quantities = MappingProxyType({})
_ZERO = Decimal(0)
#: Fields that a line of ours takes over from the line it takes goods back from.
_COPIED = (
    "unitOfMeasureCode", "directUnitCost", "discountPercent", "taxCode", "itemVariantId", "locationId",
    "expectedReceiptDate",
)  # fmt: skip
#: Lines named in a text at most.
_NAMED = 5


class Plan(Struct, frozen=True, kw_only=True):
    """What to receive, by line number; `missing`: lines that have to be added before, which take goods back."""

    receive: Quantities
    missing: tuple[tuple[OrderLine, Decimal], ...] = ()


def plan(document: ReceiptDocument, order: Order) -> Plan:
    """Raises Reject with code `order_line_missing` or `over_correction`."""
    receive: dict[int, Decimal] = {}
    missing: list[tuple[OrderLine, Decimal]] = []
    for accepted in document.lines:
        line = order.by_key.get(accepted.key)
        if line is None:
            raise _no_such_line(order, accepted)
        if accepted.quantity > 0:
            receive[line.sequence] = accepted.quantity
            continue
        own = _own_line(order, document.mark, line)
        if own is not None:
            receive[own.sequence] = accepted.quantity
            continue
        if -accepted.quantity > (there := _remaining(order, line)):
            raise _too_much(order, accepted, there)
        missing.append((line, accepted.quantity))
    return Plan(receive=receive, missing=tuple(missing))


def taken_back(document: ReceiptDocument, order: Order, known: Quantities) -> bool:
    """Whether a correction is in effect already, because somebody undid a receipt in Business Central: the order shows
    on its own lines what would remain."""
    if all(line.quantity > 0 for line in document.lines) or any(
        line.key not in order.by_key for line in document.lines
    ):
        return False
    return order.received == added(known, {order.by_key[line.key].sequence: line.quantity for line in document.lines})


def preparation(document: ReceiptDocument, order: Order, plan_: Plan, path: str) -> list[Part]:
    """The day of posting, and lines that take goods back (assumed: the service receives a negative quantity)."""
    parts: list[Part] = []
    day = document.day.isoformat()
    if str(order.header.get("postingDate", ""))[:10] != day:
        parts.append(Part(method="PATCH", path=path, body={"postingDate": day}, etag="*"))
    taken = {line.sequence for line in order.every_line}
    for line, quantity in plan_.missing:
        sequence = next(number for number in range(line.sequence + 1, line.sequence + 10_000) if number not in taken)
        taken.add(sequence)
        body = _take_back(document.mark, line, quantity) | {"sequence": sequence}
        parts.append(Part(method="POST", path=f"{path}/{LINES}", body=body))
    return parts


def first_round(order: Order, receive: Quantities, path: str) -> list[Part]:
    """`receiveQuantity` of every line that has another: what was accepted, or 0."""
    return [
        _patch(path, line, "receiveQuantity", receive.get(line.sequence, _ZERO))
        for line in order.receivable
        if line.number("receiveQuantity") != receive.get(line.sequence, _ZERO)
    ]


def second_round(order: Order, path: str) -> list[Part]:
    """`invoiceQuantity` 0 of every line that has another."""
    return [_patch(path, line, "invoiceQuantity", _ZERO) for line in order.receivable if line.number("invoiceQuantity")]


def is_set(order: Order, receive: Quantities) -> bool:
    """Whether posting the order now would receive exactly this and invoice nothing."""
    return all(
        line.number("receiveQuantity") == receive.get(line.sequence, _ZERO) and not line.number("invoiceQuantity")
        for line in order.receivable
    )


def added(before: Quantities, receive: Quantities) -> dict[int, Decimal]:
    """Received quantities after a receipt, zeros left out."""
    total = {
        sequence: before.get(sequence, _ZERO) + receive.get(sequence, _ZERO)
        for sequence in before.keys() | receive.keys()
    }
    return {sequence: quantity for sequence, quantity in total.items() if quantity}


def somebody_else(order: Order, known: Quantities, text: str = "") -> Reject:
    """The refusal where the order shows other received quantities than are known here."""
    now = order.received
    differ = [
        f"line {order.key(sequence)}: {now.get(sequence, _ZERO)} received in Business Central, "
        f"{known.get(sequence, _ZERO)} known here"
        for sequence in sorted(now.keys() | known.keys())
        if now.get(sequence) != known.get(sequence)
    ]
    more = f"; and {len(differ) - _NAMED} more lines" if len(differ) > _NAMED else ""
    return Reject(
        f"somebody else received goods of order {order.number}: {text}{'; '.join(differ[:_NAMED])}{more}.",
        code="somebody_else",
        field="order",
        value=order.number,
        hint=f"Compare the posted receipts of order {order.number} with those at the source. If this one is among "
        "them, skip it here; else ask for another try, which takes what is there as known.",
    )


def memo(order: Order) -> dict[str, Any]:
    """What to remember of an order as it is now."""
    return memo_of(order.received, order.number)


def own_lines(order: Order, mark: str) -> Sequence[OrderLine]:
    """Lines that a receipt of ours added to take goods back."""
    return [line for line in order.receivable if order.taking_back.get(line.sequence, ("", 0))[0] == mark]


def _own_line(order: Order, mark: str, taken_from: OrderLine) -> OrderLine | None:
    wanted = (mark, taken_from.sequence)
    return next((line for line in order.receivable if order.taking_back.get(line.sequence) == wanted), None)


def _remaining(order: Order, line: OrderLine) -> Decimal:
    """What was received of a line and not taken back yet."""
    back = [other.received for other in order.receivable if _takes_from(order, other) == line.sequence]
    return sum(back, line.received)


def _takes_from(order: Order, line: OrderLine) -> int:
    return order.taking_back.get(line.sequence, ("", 0))[1]


def _take_back(mark: str, line: OrderLine, quantity: Decimal) -> dict[str, Any]:
    """A line with the same item and price and a negative quantity."""
    body = {name: line.data[name] for name in _COPIED if not is_blank(line.data.get(name))}
    named = next((name for name in ("itemId", "accountId") if not is_blank(line.data.get(name))), "")
    what = {named: line.data[named]} if named else {"lineType": line.type, "lineObjectNumber": line.item}
    return {**what, "description": take_back_text(mark, line.sequence), "quantity": quantity, **body}


def _patch(path: str, line: OrderLine, field: str, value: Decimal) -> Part:
    return Part(method="PATCH", path=f"{path}/{LINES}({line.id})", body={field: value}, etag="*")


def _no_such_line(order: Order, accepted: AcceptedLine) -> Reject:
    return Reject(
        f"order {order.number} has no line {accepted.key}.",
        code="order_line_missing",
        field=f"{accepted.place}.order_line",
        value=accepted.key,
        hint=f"Look at order {order.number} on page Purchase Orders: the line was deleted there, or never came.",
    )


def _too_much(order: Order, accepted: AcceptedLine, there: Decimal) -> Reject:
    return Reject(
        f"line {accepted.key}: {-accepted.quantity} are to be taken back, only {there} are received.",
        code="over_correction",
        field=f"{accepted.place}.accepted",
        value=str(accepted.quantity),
        hint=f"Compare the posted receipts of order {order.number} with the correction at its source.",
    )
