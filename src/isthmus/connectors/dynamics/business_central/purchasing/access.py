"""Purchase orders on the wire: many by id in one batch, and those of a vendor and day (bc.md §4, §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Part, address, chunks
from isthmus.connectors.dynamics.business_central.purchasing.orders import LINES, Order
from isthmus.errors import IsthmusError, Retry

#: Orders read in one request: an answer holds all their lines.
_READ_AT_ONCE = 25
SET = "purchaseOrders"

#: An order, None for one that does not exist, or why it could not be read.
Found = Order | IsthmusError | None


class Orders:
    """Purchase orders of one company."""

    def __init__(self, client: ODataClient, company: str) -> None:
        self.client = client
        self.company = company

    def path(self, order_id: str) -> str:
        """Path of one order below the service root."""
        return f"{self.company}/{SET}({order_id})"

    async def read(self, ids: Sequence[str]) -> dict[str, Found]:
        """Orders with their lines, by id. What keeps one of them from being read is its own; nothing is raised."""
        found: dict[str, Found] = {}
        for group in chunks(list(dict.fromkeys(ids)), _READ_AT_ONCE):
            parts = [Part(method="GET", path=relative(self.path(item), {"$expand": LINES})) for item in group]
            try:
                replies = await self.client.batch(parts, writes=False)
            except IsthmusError as error:
                found |= dict.fromkeys(group, error)
                continue
            for item, reply in zip(group, replies, strict=True):
                refusal = self.client.verdict(reply, writes=False)
                if refusal is None:
                    found[item] = whole(reply.body)
                else:
                    found[item] = None if refusal.code == "not_found" else refusal
        return found

    async def like(self, condition: str) -> list[Order]:
        """Orders that fit a filter, with their lines. Raises what the reading raises."""
        rows = await self.client.all(f"{self.company}/{SET}", {"$filter": condition, "$expand": LINES})
        return [Order(row.data, row.etag) for row in rows]


def whole(body: object) -> Order | Retry:
    """The order of an answer; one without its lines says nothing."""
    if isinstance(body, Mapping) and isinstance(body.get(LINES), list):
        return Order(body)
    return Retry("Business Central shows the order without its lines.", code="no_expand")


def relative(path: str, options: Mapping[str, str]) -> str:
    """`path?options`, percent-encoded, as a request inside a batch has it."""
    return address("", path, options).removeprefix("/")
