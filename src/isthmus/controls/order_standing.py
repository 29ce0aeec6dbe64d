"""What the status of a purchase order means for finance, and what an order is that is closed or cancelled early."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Literal

from isthmus.model.entity import State
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell

#: waits: nobody has decided yet; off: it was decided against; stands: it goes to the vendor; over: nothing more comes.
Standing = Literal["waits", "off", "stands", "over"]

#: Wide enough that a quantity times a price is never rounded.
_EXACT = Context(prec=100)

_STANDING: Mapping[str, Standing] = {
    "draft": "waits",
    "pending": "waits",
    "rejected": "off",
    "cancelled": "off",
    "approved": "stands",
    "sent": "stands",
    "partly_received": "stands",
    "received": "stands",
    "closed": "over",
}


def standing_of(order: State) -> Standing:
    """Where an order stands. One without status stands: its source has orders only when they are placed."""
    return _STANDING.get(str(order.get("status") or ""), "stands")


def order_standing(order: State) -> Finding | None:
    """Why an order does not go to finance: a wait, a skip, or None where it goes."""
    standing, name = standing_of(order), _name(order)
    if standing == "waits":
        return Finding(
            "order_pending",
            "wait",
            f"{name} is {order['status']}",
            field="status",
            mend="Nothing: it goes when it is approved in its system.",
        )
    if standing == "off":
        return Finding("order_off", "skip", f"{name} is {order['status']}", field="status", value=str(order["status"]))
    return None


def order_shape(order: State) -> State | Finding:
    """The order as finance is to show it, or why it does not go there.

    An order finance has already is cut down where it is cancelled, rejected or closed. One it does not have is skipped
    where it was decided against; a closed one goes as it was ordered, because its receipts are to be booked on it.
    """
    standing = standing_of(order)
    if standing == "over":
        return short_closed(order) if in_finance(order) else order
    if standing == "off" and in_finance(order):
        return cancelled(order)
    finding = order_standing(order)
    return order if finding is None else finding


def in_finance(order: State) -> bool:
    """Whether finance has shown the order: it gave it a number, or counts what was received of it."""
    return bool(order.get("booked_number")) or any(line.get("received") is not None for line in _lines(order))


def short_closed(order: State) -> State:
    """An order of which nothing more comes: every line wants what was received of it, and costs accordingly."""
    return _with_lines(order, _cut)


def cancelled(order: State) -> State:
    """The same of an order that is called off: lines of which nothing was received are taken out altogether.

    An order without lines is one that is deleted.
    """
    return _with_lines(order, lambda line: _cut(line) if _received(line) else None)


def _with_lines(order: State, shape: Callable[[State], State | None]) -> State:
    if "lines" not in order:
        return order
    return {**order, "lines": [line for one in _lines(order) if (line := shape(one)) is not None]}


def _cut(line: State) -> State:
    received = _received(line)
    cut = {**line, "quantity": spell(received)}
    price = _decimal(line.get("unit_cost"))
    if line.get("amount") is not None:
        cut["amount"] = spell(_EXACT.multiply(received, price)) if price is not None else None
    return cut


def _received(line: State) -> Decimal:
    return _decimal(line.get("received")) or Decimal(0)


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None


def _lines(order: State) -> list[State]:
    lines = order.get("lines")
    return list(lines) if isinstance(lines, list | tuple) else []


def _name(order: State) -> str:
    return f"order {order.get('number') or '(without number)'}"
