"""The Business Central connector and its simulator, as the connector suite wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.business_central import books, purchases, stores
from contract.business_central.parts import COMPANY, Part, Target
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.connector import connect
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.sandbox.server import Sandbox
from isthmus.testing.harness import Calls, Harness, Refusal

SECRET = "sandbox-secret"

#: the suite's word -> the sandbox's fault
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "throttle": {"kind": "status", "code": 429, "retry_after": 7},
    "unavailable": {"kind": "status", "code": 503},
    "lost_before": {"kind": "lose_before"},
    "lost_after": {"kind": "lose_after"},
    "late_commit": {"kind": "late_commit", "seconds": 300},
    "cut_batch": {"kind": "cut_mid_batch", "after": 2},
    "error_but_done": {"kind": "status", "code": 504, "done": True},
    "denied_but_done": {"kind": "posted_but_400"},
    "accepted_but_lost": {"kind": "lie_201"},
    "locked": {"kind": "lock_409"},
    "token_expired": {"kind": "expired_token"},
}

PARTS: Mapping[str, type[Part]] = {
    "account": books.Accounts,
    "dimension": books.Dimensions,
    "dimension_value": books.DimensionValues,
    "currency": books.Currencies,
    "exchange_rate": books.ExchangeRates,
    "company": books.SetUp,
    "ledger_entry": books.Entries,
    "journal_entry": books.Journals,
    "vendor": stores.Vendors,
    "item": stores.Items,
    "unit_of_measure": stores.Units,
    "payment_terms": stores.Terms,
    "location": stores.Locations,
    "item_unit": stores.ItemUnits,
    "inventory_transaction": stores.StockTransactions,
    "purchase_order": purchases.PurchaseOrders,
    "receipt": purchases.Receipts,
}


class BoxClock:
    """The sandbox's own time: real time plus what was advanced. Sleeping advances it."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
        await asyncio.to_thread(self._box.advance, seconds)


class BusinessCentralHarness(Harness):
    company = COMPANY
    faults = frozenset(FAULTS)  # type: ignore[assignment]
    secrets = (SECRET,)

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.clock = BoxClock(box)
        box.publish(**stores.PAGES)
        for basis in (stores.BASIS, purchases.BASIS):
            box.seed({"companies": [{"name": COMPANY, **basis}]})
        self._target = Target(box, self.config(), self.clock)
        self._parts = {entity: part(self._target) for entity, part in PARTS.items()}

    def connector(self) -> Connector:
        return connect(self.config(), self.clock)

    def config(self) -> BusinessCentralConfig:
        return BusinessCentralConfig(
            url=self.box.url,
            authority=self.box.url,
            ca=str(self.box.ca),
            tenant="0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10",
            environment="sandbox",
            client_id="6b1f0d2e-7c55-4f0a-9a3e-2f1c8d4e5b60",
            secret=SECRET,
            companies=(COMPANY,),
            services=stores.SERVICES,
            call_timeout=5,
        )

    async def seed(self, entity: str, count: int) -> None:
        await self._parts[entity].seed(count)

    async def total(self, entity: str) -> int:
        return await self._parts[entity].total()

    async def edit(self, entity: str, record: NativeRecord) -> bool:
        return await self._parts[entity].edit(record)

    async def remove(self, entity: str, record: NativeRecord) -> bool:
        return await self._parts[entity].remove(record)

    def key_field(self, entity: str) -> str:
        return self._parts[entity].key_field

    def operation(self, entity: str, serial: int, *, delivery: str, earlier: Sequence[str] = ()) -> Operation:
        return self._parts[entity].operation(serial, delivery=delivery, earlier=tuple(earlier))

    def refused(self, entity: str, serial: int, *, delivery: str) -> Refusal | None:
        return self._parts[entity].refused(serial, delivery=delivery)

    async def effects(self, operation: Operation) -> int:
        return await self._parts[operation.entity].effects(operation)

    async def left_over(self) -> int:
        return int(self.box.books(COMPANY)["unposted_lines"])

    def spares(self, entity: str, fault: str) -> bool:
        return fault in self._parts[entity].spared

    async def fault(self, fault: str, *, write: bool, nth: int = 1) -> None:
        await self._prepare()
        setting = dict(FAULTS[fault])
        match: dict[str, Any] = {"method": "POST" if write else "GET", "nth": nth}
        self.box.fault(setting.pop("kind"), match=match, times=1, **setting)

    async def fired(self) -> bool:
        return any(rule["fired"] for rule in self.box.faults()["rules"])

    async def clear_faults(self) -> None:
        self.box.clear_faults()

    async def pass_time(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def calls(self) -> Calls:
        counted = self.box.calls()
        return Calls(requests=counted["requests"], most_at_once=counted["max_concurrent"])

    async def close(self) -> None:
        await self._target.close()

    async def reset_calls(self) -> None:
        await self._prepare()
        self.box.reset_calls()

    async def _prepare(self) -> None:
        for part in self._parts.values():
            await part.prepare()


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BusinessCentralHarness]:
    async with Sandbox(home=tmp_path) as box:
        harness = BusinessCentralHarness(box)
        yield harness
        await harness.close()
