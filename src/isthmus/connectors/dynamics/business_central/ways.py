"""Ways: how the operations of an entity travel. A new kind of document is a new way and a row in `table_of_ways`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from isthmus.connectors._http.budget import Budget
from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics.business_central.companies import Companies
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.connectors.dynamics.business_central.reading import Reading
from isthmus.contract.clock import Clock
from isthmus.contract.connector import NativeField
from isthmus.contract.operations import Operation, Outcome


class Site(Struct, frozen=True, kw_only=True):
    """One environment: what every way works with. `client` has the standard API as its root, `environment` what is
    above it."""

    client: ODataClient
    environment: ODataClient
    published: Published
    budget: Budget
    clock: Clock
    companies: Companies
    reading: Reading
    config: BusinessCentralConfig
    describe: Callable[[str], Awaitable[Sequence[NativeField]]]


class Place(Struct, frozen=True):
    """A company that was found: its name, and its path `companies(id)` below the service root."""

    name: str
    path: str


class Way(Protocol):
    """Operations given together are of one entity, action, company and delivery. For what each method promises see
    `isthmus.contract.connector.Connector`."""

    def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One outcome per operation, as soon as known."""
        ...

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """What the company holds of these operations, by key; a key that is missing was not found."""
        ...

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """Remove what abandoned deliveries left half done. Raises Retry while the service is busy with it."""
        ...
