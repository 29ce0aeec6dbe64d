"""Purchase orders on the wire: many by id in one request, and those of a vendor and day (bc.md §4)."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import any_of, chunks
from isthmus.connectors.dynamics.business_central.purchasing.orders import LINES, Order
from isthmus.errors import IsthmusError

#: Orders read in one request; keeps addresses near 1,000 characters.
READ_AT_ONCE = 20
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
        """Orders with their lines, by id. What keeps them from being read is told of each; nothing is raised."""
        found: dict[str, Found] = {}
        for group in chunks(list(dict.fromkeys(ids)), READ_AT_ONCE):
            found |= dict.fromkeys(group)
            try:
                found |= {order.id: order for order in await self.like(any_of("id", map(guid, group)))}
            except IsthmusError as error:
                found |= dict.fromkeys(group, error)
        return found

    async def like(self, condition: str) -> list[Order]:
        """Orders that fit a filter, with their lines. Raises what the reading raises."""
        options = {"$filter": condition, "$expand": LINES}
        return [Order(entity) for entity in await self.client.entities(f"{self.company}/{SET}", options)]
