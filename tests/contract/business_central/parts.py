"""What the connector suite does with one entity at the simulator, behind the connector's back.

A new entity of the connector needs a part: a class here or in a module beside, and a row in `conftest.PARTS`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.connector import BusinessCentral
from isthmus.contract.clock import Clock
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.sandbox.server import Sandbox
from isthmus.testing.harness import Refusal

COMPANY = "CRONUS"
UNICODE = "ünïcödé ✓"

#: Faults that only a posting or only a batch of several requests can suffer.
OF_POSTINGS, OF_BATCHES = frozenset({"denied_but_done"}), frozenset({"cut_batch"})


class Target:
    """The simulator, and calls of it that are nobody's but the suite's."""

    def __init__(self, box: Sandbox, config: BusinessCentralConfig, clock: Clock) -> None:
        self.box = box
        self._own = BusinessCentral(config, clock)
        self._serial = 0

    def another(self) -> Target:
        """The same for another thread."""
        return Target(self.box, self._own._config, self._own._clock)

    def next_serials(self, count: int) -> range:
        first, self._serial = self._serial, self._serial + count
        return range(first, first + count)

    async def seed(self, **sections: Any) -> None:
        await asyncio.to_thread(self.box.seed, {"companies": [{"name": COMPANY, **sections}]})

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the standard API, below the company."""
        return await self._call("", method, path, body)

    async def pages(self, method: str, path: str, body: Any = None) -> Any:
        """A call of published pages, below the company."""
        return await self._call("ODataV4", method, path, body)

    async def _call(self, root: str, method: str, path: str, body: Any) -> Any:
        if root:
            client = self._own._service(self._own._config.published_root)
            place = f"Company('{COMPANY}')"
        else:
            client = self._own._client
            place = await self._own._companies.path(COMPANY)
        if method == "GET":
            address, _, condition = path.partition("?$filter=")
            return [dict(row.data) for row in await client.all(f"{place}/{address}", {"$filter": condition})]
        return await client.send(method, f"{place}/{path}", body, etag="" if method == "POST" else "*")

    async def close(self) -> None:
        await self._own.close()

    def rows_kept(self, native: str) -> int:
        company = next(item for item in self.box.state()["companies"] if item["name"] == COMPANY)
        return int(company["rows"][native])


class Part(ABC):
    """One entity. Parts that only read need no more than the first three methods."""

    key_field = "code"
    #: faults its writing calls cannot suffer
    spared: frozenset[str] = OF_POSTINGS | OF_BATCHES

    def __init__(self, target: Target) -> None:
        self.target = target

    @abstractmethod
    async def seed(self, count: int) -> None: ...

    @abstractmethod
    async def total(self) -> int: ...

    async def prepare(self) -> None:
        """Have ready what operations need, before calls are counted or go wrong."""
        await asyncio.sleep(0)

    async def edit(self, record: NativeRecord) -> bool:
        del record
        return False

    async def remove(self, record: NativeRecord) -> bool:
        del record
        return False

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        raise NotImplementedError

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        del serial, delivery
        return None

    async def effects(self, operation: Operation) -> int:
        raise NotImplementedError


def matching(rows: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> int:
    """How many rows stand there, each exactly as meant."""
    for row in rows:
        there = {name: row[name] for name in wanted}
        assert there == dict(wanted), f"kept otherwise than meant: {there}"
    return len(rows)
