"""Receipts under way: one per order, phase by phase, many orders in one request (semantics.md §5)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.purchasing.access import Found, Orders
from isthmus.connectors.dynamics.business_central.purchasing.orders import LINES, Order
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import Known, ReceiptDocument
from isthmus.connectors.dynamics.business_central.purchasing.receipt_plan import NONE, Quantities, own_lines
from isthmus.errors import IsthmusError, Reject, Retry


class Work(Struct, kw_only=True):
    """One receipt under way.

    order    as it was read last; before that None
    receive  what is to be received, by line number
    before   what was received before, by line number: what was known, and what the order showed
    """

    document: ReceiptDocument
    known: Known
    order: Order | None = None
    receive: Quantities = NONE

    @property
    def key(self) -> str:
        return self.document.key

    @property
    def before(self) -> Quantities:
        return self.known.received

    @property
    def at(self) -> Order:
        """The order; it was read."""
        if self.order is None:
            raise ValueError(f"the order of {self.key} was not read")
        return self.order


def usable(found: Found) -> Order | IsthmusError:
    """An order that was read, or why it cannot be received."""
    if found is not None:
        return found
    return Reject(
        "the order no longer exists in Business Central: it was deleted, or invoiced to the end.",
        code="gone",
        field="order",
        hint="Look for it on pages Posted Purchase Receipts and Posted Purchase Invoices.",
    )


async def drop_own_lines(orders: Orders, works: Sequence[Work]) -> None:
    """Delete lines of these receipts that would take goods back and did not. Raises Retry while one cannot be."""
    shown = await orders.read([work.document.order_id for work in works]) if works else {}
    parts: list[Part] = []
    for work in works:
        order = shown[work.document.order_id]
        if isinstance(order, IsthmusError):
            raise order
        if isinstance(order, Order):
            path = orders.path(order.id)
            parts += [
                Part(method="DELETE", path=f"{path}/{LINES}({line.id})", etag="*")
                for line in own_lines(order, work.document.mark)
                if not line.received
            ]
    for reply in await orders.client.batch(parts):
        error = orders.client.verdict(reply)
        if error is not None and error.code != "not_found":
            text = f"a line of an interrupted correction cannot be removed yet: {error.message}"
            raise Retry(text, code=error.code)
