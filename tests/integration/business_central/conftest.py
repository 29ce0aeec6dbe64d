"""A sandbox of Business Central, and connectors on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.connector import connect
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Page, ReadRequest
from isthmus.sandbox.server import Sandbox

COMPANY = "CRONUS"
TENANT = "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10"
CLIENT = "6b1f0d2e-7c55-4f0a-9a3e-2f1c8d4e5b60"
SECRET = "sandbox-secret"


class BoxClock:
    """The sandbox's own time; sleeping advances it."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
        await asyncio.to_thread(self._box.advance, seconds)


class Bench:
    """One sandbox, connectors on it, and short words for what tests do."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.clock = BoxClock(box)
        self._open: list[Connector] = []

    def connector(self, **changes: Any) -> Connector:
        settings: dict[str, Any] = {
            "url": self.box.url,
            "authority": self.box.url,
            "ca": str(self.box.ca),
            "tenant": TENANT,
            "environment": "sandbox",
            "client_id": CLIENT,
            "secret": SECRET,
            "call_timeout": 5,
        }
        given = {name: value for name, value in (settings | changes).items() if value is not None}
        connector = connect(BusinessCentralConfig(**given), self.clock)
        self._open.append(connector)
        return connector

    def company(self, **changes: Any) -> None:
        self.box.set(company=COMPANY, **changes)

    def seed(self, **more: Any) -> None:
        self.box.seed({"companies": [{"name": COMPANY, **more}]})

    def postings(self, number: str) -> int:
        return int(self.box.document(number, COMPANY)["postings"])

    def entries(self, number: str) -> list[dict[str, Any]]:
        return list(self.box.document(number, COMPANY)["entries"])

    def unposted(self) -> int:
        return int(self.box.books(COMPANY)["unposted_lines"])

    def journals(self) -> int:
        company = next(item for item in self.box.state()["companies"] if item["name"] == COMPANY)
        return int(company["rows"]["journals"])

    async def close(self) -> None:
        for connector in self._open:
            await connector.close()

    @staticmethod
    def order(
        serial: int,
        *lines: tuple[str, str, Mapping[str, str]],
        delivery: str = "d1",
        earlier: Sequence[str] = (),
        day: str = "2026-03-05",
    ) -> Operation:
        """A posting of work order `serial`: lines of (account, amount, dimensions); a plain one unless given."""
        chosen = lines or (("8450", "183.05", {"DEPARTMENT": "PROD"}), ("5800", "-183.05", {}))
        return Operation(
            key=f"event-{serial}",
            entity="journal_entry",
            action="post",
            company=COMPANY,
            delivery=delivery,
            earlier=tuple(earlier),
            native={
                "documentNumber": f"WO{serial:05}",
                "externalDocumentNumber": f"ORDER {serial}",
                "postingDate": day,
                "description": "Hydraulic pump",
                "journalLines": [
                    {"accountNumber": account, "amount": Decimal(amount), "dimensions": dict(dimensions)}
                    for account, amount, dimensions in lines or chosen
                ],
            },
        )

    @staticmethod
    async def write(connector: Connector, *operations: Operation) -> dict[str, Outcome]:
        return {outcome.key: outcome async for outcome in connector.write(operations)}

    @staticmethod
    async def read(connector: Connector, native: str, **more: Any) -> Page:
        async def known(_: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
            return {}

        return await connector.read(ReadRequest(native=native, company=COMPANY, **more), known)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Sandbox(home=tmp_path) as box:
        bench = Bench(box)
        yield bench
        await bench.close()


@pytest.fixture
async def stockroom(tmp_path: Path) -> AsyncIterator[Any]:
    from integration.business_central.stockroom import Stockroom

    async with Sandbox(home=tmp_path) as box:
        room = Stockroom(box)
        yield room
        await room.close()


@pytest.fixture
async def purchasing(tmp_path: Path) -> AsyncIterator[Any]:
    from integration.business_central.purchasing import Purchasing

    async with Sandbox(home=tmp_path) as box:
        desk = Purchasing(box)
        yield desk
        await desk.close()
