"""The way of goods receipts: the order is set to receive what was accepted and to invoice nothing, then posted.

Quantities to receive that stand on an order take effect only when somebody posts it. So everything before the posting
may be repeated, and the posting itself is known by what the order shows as received (semantics.md §5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from isthmus.connectors.dynamics.business_central.purchasing.access import Orders
from isthmus.connectors.dynamics.business_central.purchasing.receipt_delivery import ReceiptDelivery
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import parse_known, parse_receipt
from isthmus.connectors.dynamics.business_central.purchasing.receipt_look_up import look_up_gone, look_up_on
from isthmus.connectors.dynamics.business_central.purchasing.receipt_work import Work, drop_own_lines
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject


class ReceiptWay:
    """Posts receipts, one per order at a time; or leaves them set on the order where the connection says so."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """All orders phase by phase; each outcome as soon as it is known."""
        async for outcome in ReceiptDelivery(self._site, place).deliver(operations):
            yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """Whether the orders show what was known before, or that and this receipt; anything else is for a person."""
        works = _works(operations)
        orders = Orders(self._site.client, place.path)
        shown = await orders.read([work.document.order_id for work in works])
        found: dict[str, Outcome] = {}
        for work in works:
            order = shown[work.document.order_id]
            if isinstance(order, IsthmusError):
                raise order
            work.order = order
            asked = look_up_on if order is not None else look_up_gone
            outcome = await asked(self._site.client, place, work)
            if outcome is not None:
                found[work.key] = outcome
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """Delete lines of ours that would take goods back and did not. Quantities set on an order stay: they take
        effect only when the order is posted, and the next receipt sets them anew."""
        works = [work for work in _works(operations) if any(line.quantity < 0 for line in work.document.lines)]
        await drop_own_lines(Orders(self._site.client, place.path), works)


def _works(operations: Sequence[Operation]) -> list[Work]:
    works = []
    for operation in operations:
        try:
            works.append(Work(document=parse_receipt(operation), known=parse_known(operation.expected)))
        except Reject:
            continue  # what cannot be parsed was never sent
    return works
