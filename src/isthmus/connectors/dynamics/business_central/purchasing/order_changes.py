"""What has to be done to an order so that it is as wanted: compared with a fresh read, field by field, line by line.

Received goods are never undone: a line keeps at least what was received of it, and one that is no longer wanted keeps
exactly that. Pure; equal orders need no change, so that everything here is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.purchasing.marks import (
    MARK_SEQUENCE,
    allot,
    free_below,
    mark_text,
)
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import (
    OrderDocument,
    WantedLine,
    key_comments,
    nothing_bought,
    same,
)
from isthmus.connectors.dynamics.business_central.purchasing.orders import LINES, Order, OrderLine
from isthmus.errors import Reject, Stale

#: Fields the service chooses anew when others of the line change (bc.md §19: to send them unchanged does nothing).
_LOOKED_UP = frozenset({"directUnitCost", "discountAmount", "discountPercent", "taxCode", "expectedReceiptDate"})
#: Fields of the service that name what a line buys.
_OBJECT = frozenset({"itemId", "accountId", "lineObjectNumber", "lineType"})


def changes(order: Order, wanted: OrderDocument, path: str) -> list[Part]:
    """Requests in the order they are to be made; empty where the order is as wanted. `path` is the order's.

    Raises Reject with code `below_received`, `line_changed` or that of a new line that cannot be made.
    """
    header = differing(order.header, wanted.header)
    parts = [Part(method="PATCH", path=path, body=header, etag=order.etag or "*")] if header else []
    parts += _renamed(order, wanted, path)
    return parts + (_lines(order, wanted.lines, path) if wanted.lines is not None else [])


def differing(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted fields that are shown otherwise. Nothing (None) is said of what the service decides itself."""
    return {
        name: value for name, value in wanted.items() if value is not None and not same(name, shown.get(name), value)
    }


def has_receipts(order: Order) -> bool:
    """Whether anything of it was received or invoiced."""
    return any(line.received or line.number("invoicedQuantity") for line in order.receivable)


def short_closed(order: Order) -> bool:
    """Whether nothing more is expected of it."""
    return all(line.quantity == line.received for line in order.lines)


def moved_meanwhile(
    before: Order, after: Order, wanted: OrderDocument, sent: Sequence[Part], path: str
) -> Stale | None:
    """Whether somebody else edited what we are changing: a value that is neither what it was nor what is wanted.

    What was sent may move values beside it: a changed unit or quantity makes the service look up a price of its own.
    """
    stale = Stale("somebody else changed the order meanwhile.", code="changed_meanwhile")
    touched = {part.path for part in sent}
    if _moved(before.header, after.header, wanted.header, frozenset()):
        return stale
    if wanted.lines is None:
        return None
    ours = {line.key: line.fields for line in wanted.lines}
    if (before.by_key.keys() - after.by_key.keys()) & ours.keys():
        return stale
    for key, line in after.by_key.items():
        was = before.by_key.get(key)
        if was is None and key not in ours:
            return stale
        looked_up = _LOOKED_UP if touched & {path, _line_path(path, line)} else frozenset[str]()
        if was is not None and _moved(was.data, line.data, ours.get(key, {}), looked_up):
            return stale
    return None


def _moved(was: Mapping[str, Any], now: Mapping[str, Any], wanted: Mapping[str, Any], but: frozenset[str]) -> bool:
    """Whether a field we want shows neither its former nor the wanted value."""
    return any(
        not same(name, now.get(name), was.get(name)) and not same(name, now.get(name), value)
        for name, value in wanted.items()
        if value is not None and name not in but
    )


def _renamed(order: Order, wanted: OrderDocument, path: str) -> list[Part]:
    """The number of operations stands in our first comment; an order made by people has none, and gets none."""
    if wanted.number is None or wanted.number == order.marks.number or not order.marks.mark:
        return []
    comment = next(line for line in order.every_line if line.is_comment and line.sequence == MARK_SEQUENCE)
    body = {"description": mark_text(order.marks.mark, wanted.number)}
    return [Part(method="PATCH", path=_line_path(path, comment), body=body, etag=comment.etag or "*")]


def _lines(order: Order, wanted: Sequence[WantedLine], path: str) -> list[Part]:
    """Lines that change first, then keys and lines that are new, then those that go."""
    changed, replaced, fresh = list[Part](), list[OrderLine](), list[WantedLine]()
    for line in wanted:
        present = order.by_key.get(line.key)
        if present is None:
            fresh.append(line)
        elif _is_other_thing(present, line):
            if present.received:
                raise _object_kept(order, present, line)
            replaced.append(present)
            fresh.append(line)
        else:
            changed += _changed_line(order, present, line, path)
    gone = [line for key, line in order.by_key.items() if key not in {line.key for line in wanted}]
    kept = [_keep_received(line, path) for line in gone if line.received and line.quantity != line.received]
    removed = [line for line in gone if not line.received]
    return [
        *changed,
        *kept,
        *(_deletion(line, path) for line in replaced),
        *_new_lines(order, fresh, replaced, path),
        *(_deletion(line, path) for line in removed),
    ]


def _changed_line(order: Order, present: OrderLine, wanted: WantedLine, path: str) -> list[Part]:
    quantity = wanted.quantity
    if quantity is not None and present.received and not _covers(quantity, present.received):
        text = f"line {wanted.key}: {quantity} is less than the {present.received} received already."
        raise Reject(
            text,
            code="below_received",
            field=f"{wanted.place}.quantity",
            value=str(quantity),
            hint=f"Order at least {present.received}, or take goods back by a correction of the receipt "
            f"(order {order.number}).",
        )
    fields = {name: value for name, value in wanted.fields.items() if name not in _OBJECT}
    body = differing(present.data, fields)
    return [Part(method="PATCH", path=_line_path(path, present), body=body, etag=present.etag or "*")] if body else []


def _covers(quantity: Decimal, received: Decimal) -> bool:
    return (quantity - received) * (1 if received > 0 else -1) >= 0


def _is_other_thing(present: OrderLine, wanted: WantedLine) -> bool:
    name, value = wanted.object
    return bool(name) and not same(name, present.data.get(name), value)


def _keep_received(line: OrderLine, path: str) -> Part:
    return Part(method="PATCH", path=_line_path(path, line), body={"quantity": line.received}, etag=line.etag or "*")


def _new_lines(order: Order, fresh: Sequence[WantedLine], replaced: Sequence[OrderLine], path: str) -> list[Part]:
    """New lines behind the keys they are told by. A key noted by an earlier, interrupted amendment keeps its place."""
    for line in fresh:
        if not line.object[0]:
            raise nothing_bought(line)
    places = {order.key(line.sequence): line.sequence for line in replaced}
    places |= {key: sequence for sequence, key in order.marks.keys.items() if key in {line.key for line in fresh}}
    taken = {line.sequence for line in order.every_line} | order.marks.keys.keys()
    new = allot([line.key for line in fresh if line.key not in places], taken)
    sequences = places | new
    collection = f"{path}/{LINES}"
    first = free_below(line.sequence for line in order.every_line)
    return [
        *(Part(method="POST", path=collection, body=body) for body in key_comments(new, first)),
        *(Part(method="POST", path=collection, body={**line.body, "sequence": sequences[line.key]}) for line in fresh),
    ]


def _deletion(line: OrderLine, path: str) -> Part:
    return Part(method="DELETE", path=_line_path(path, line), etag=line.etag or "*")


def _line_path(path: str, line: OrderLine) -> str:
    return f"{path}/{LINES}({line.id})"


def _object_kept(order: Order, present: OrderLine, wanted: WantedLine) -> Reject:
    return Reject(
        f"line {wanted.key} was received already as {present.item}; it cannot become another thing.",
        code="line_changed",
        field=f"{wanted.place}.item",
        value=wanted.object[1],
        hint=f"Order the other thing on a line of its own (order {order.number}).",
    )
