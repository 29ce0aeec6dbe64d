"""The Business Central connector and its simulator, as the connector suite wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.connector import BusinessCentral, connect
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.sandbox.server import Sandbox
from isthmus.testing.harness import Calls, Harness, Refusal

COMPANY = "CRONUS"
SECRET = "sandbox-secret"
UNICODE = "ünïcödé ✓"

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
        self._serial = 0

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
            call_timeout=5,
        )

    async def seed(self, entity: str, count: int) -> None:
        if entity == "company":
            return
        if entity == "ledger_entry":
            await self._post(count)
            return
        first, self._serial = self._serial, self._serial + count
        rows = [self._row(entity, serial) for serial in range(first, first + count)]
        await self._seed(_SEED_NAMES[entity], rows)

    async def total(self, entity: str) -> int:
        if entity == "company":
            return 1
        if entity == "ledger_entry":
            return int(self.box.books(COMPANY)["entries"])
        company = next(item for item in self.box.state()["companies"] if item["name"] == COMPANY)
        return int(company["rows"][_SETS[entity]])

    async def edit(self, entity: str, record: NativeRecord) -> bool:
        if entity == "company":
            self.box.set(company=COMPANY, allow_posting_from="2020-01-01")
        elif entity == "currency":
            await self._patch(f"currencies({record.id})", {"displayName": f"Edited {record.data['code']}"})
        else:
            return False
        return True

    def key_field(self, entity: str) -> str:
        return _KEYS[entity]

    def operation(
        self, entity: str, serial: int, *, delivery: str, earlier: Sequence[str] = (), amount: str = "183.05"
    ) -> Operation:
        return _operation(
            serial,
            delivery,
            tuple(earlier),
            [
                {"lineKey": "1", "accountNumber": "8450", "amount": Decimal(amount), "dimensions": DIMENSIONS},
                {"lineKey": "2", "accountNumber": "5800", "amount": -Decimal(amount), "dimensions": {}},
            ],
        )

    def refused(self, entity: str, serial: int, *, delivery: str) -> Refusal | None:
        lines = [
            {"accountNumber": "8430", "amount": Decimal("5.00"), "dimensions": {}},
            {"accountNumber": "5800", "amount": Decimal("-5.00"), "dimensions": {}},
        ]
        return Refusal(_operation(serial, delivery, (), lines), "dimension_required")

    async def effects(self, operation: Operation) -> int:
        found = self.box.document(str(operation.native["documentNumber"]), COMPANY)
        wanted = [
            (line["accountNumber"], Decimal(line["amount"]), dict(line["dimensions"]))
            for line in operation.native["journalLines"]
        ]
        there = [(entry["account"], Decimal(entry["amount"]), entry["dimensions"]) for entry in found["entries"]]
        times = int(found["postings"])
        assert there == wanted * times, f"booked otherwise than meant: {there}"
        return times

    async def left_over(self) -> int:
        return int(self.box.books(COMPANY)["unposted_lines"])

    async def fault(self, fault: str, *, write: bool, nth: int = 1) -> None:
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

    async def reset_calls(self) -> None:
        self.box.reset_calls()

    async def _seed(self, name: str, rows: list[dict[str, Any]]) -> None:
        await asyncio.to_thread(self.box.seed, {"companies": [{"name": COMPANY, name: rows}]})

    async def _patch(self, path: str, body: dict[str, Any]) -> None:
        connector = connect(self.config(), self.clock)
        assert isinstance(connector, BusinessCentral)
        company = await connector._companies.path(COMPANY)
        await connector._client.send("PATCH", f"{company}/{path}", body, etag="*")
        await connector.close()

    async def _post(self, entries: int) -> None:
        connector = self.connector()
        first, self._serial = self._serial, self._serial + entries
        operations = [
            self.operation("journal_entry", 90_000 + serial, delivery=f"seed-{first}")
            for serial in range(first, first + -(-entries // 2))
        ]
        async for outcome in connector.write(operations):
            assert outcome.result == "done", outcome
        await connector.close()

    def _row(self, entity: str, serial: int) -> dict[str, Any]:
        if entity == "account":
            return {"number": str(10_000 + serial), "name": f"{UNICODE} {serial}", "category": "expense"}
        if entity == "dimension":
            return {"code": f"DIM{serial}", "name": f"{UNICODE} {serial}", "values": []}
        if entity == "dimension_value":
            code = ("DEPARTMENT", "PROJECT")[serial % 2]
            return {"code": code, "values": [{"code": f"V{serial}", "name": f"{UNICODE} {serial}"}]}
        if entity == "currency":
            return {"code": f"C{serial}", "name": f"{UNICODE} {serial}"}
        start = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(days=serial)
        return {"currency": "USD", "start": start.date().isoformat(), "relational_amount": "0.917431"}


DIMENSIONS = {"DEPARTMENT": "PROD", "PROJECT": "P100"}
_SEED_NAMES = {
    "account": "accounts",
    "dimension": "dimensions",
    "dimension_value": "dimensions",
    "currency": "currencies",
    "exchange_rate": "exchange_rates",
}
_SETS = {
    "account": "accounts",
    "dimension": "dimensions",
    "dimension_value": "dimensionValues",
    "currency": "currencies",
    "exchange_rate": "currencyExchangeRates",
}
_KEYS = {
    "account": "number",
    "dimension": "code",
    "dimension_value": "code",
    "currency": "code",
    "exchange_rate": "currencyCode",
    "company": "companyName",
    "ledger_entry": "documentNumber",
}


def _operation(serial: int, delivery: str, earlier: tuple[str, ...], lines: list[dict[str, Any]]) -> Operation:
    return Operation(
        key=f"event-{serial}",
        entity="journal_entry",
        action="post",
        company=COMPANY,
        delivery=delivery,
        earlier=earlier,
        native={
            "documentNumber": f"WO{serial:06}",
            "externalDocumentNumber": f"ORDER-{serial}",
            "postingDate": "2026-03-05",
            "description": f"Work order {serial} {UNICODE}",
            "journalLines": lines,
        },
    )


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BusinessCentralHarness]:
    async with Sandbox(home=tmp_path) as box:
        yield BusinessCentralHarness(box)
