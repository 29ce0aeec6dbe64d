"""The generic REST connector with the profile of a plain CAFM, and its simulator, as the connector suite wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.connectors.rest.config import RestConfig
from isthmus.connectors.rest.connector import connect
from isthmus.connectors.rest.declared.loading import profile_text
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.sandbox.server import Sandbox
from isthmus.testing.harness import Calls, Harness, Refusal

KEY = "suite-key"
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
}  # no token_expired: a key that has expired is renewed by a person
FACILITY: Mapping[str, Any] = {
    "kind": "cafm",
    "system": {"id": "suite", "name": "Suite", "base_currency": "EUR"},
    "keys": [{"name": "isthmus", "key": KEY}],
    "switches": {"requests_per_window": 1_000_000},
    "dimensions": [{"code": "COSTCENTRE"}],
    "units": [{"code": "PCS"}],
    "currencies": [{"code": "USD"}],
    "locations": [{"code": "STORE", "name": "Store", "stockKeeping": True}],
    "vendors": [{"code": "V0", "name": "First", "approvalStatus": "approved"}],
    "items": [{"code": "1000", "description": "Seal", "baseUnit": "PCS", "stock": {"STORE": "1000"}}],
    "purchaseOrders": [
        {
            "number": "PO-0", "vendorId": "V0", "locationId": "STORE", "status": "sent",
            "lines": [{"itemId": "1000", "quantity": "1000", "unitPrice": "1"}],
        }
    ],
}  # fmt: skip
ID = 2_147_483_640  # the first record of every set of the facility that numbers from there


def body(entity: str, serial: int) -> dict[str, Any]:
    """What a person enters for the serial-th record, as the API takes it."""
    lines = [{"itemId": ID, "quantity": "1", "estimatedUnitPrice": "2.5"}]
    return {
        "vendor": {"code": f"W{serial}", "name": f"{UNICODE} {serial}"},
        "payment_terms": {"code": f"T{serial}", "dueDays": serial % 900},
        "item": {"code": f"I{serial}", "description": UNICODE, "baseUnit": "PCS", "unitCost": "1.2345"},
        "unit_of_measure": {"code": f"U{serial}", "description": UNICODE},
        "item_unit": {"itemId": ID, "unitCode": f"B{serial}", "factor": "12.5"},
        "account": {"code": f"{8000 + serial}", "name": UNICODE},
        "dimension": {"code": f"D{serial}"},
        "dimension_value": {"dimensionCode": "COSTCENTRE", "code": f"C{serial}"},
        "currency": {"code": f"{chr(65 + serial // 26 % 26)}{chr(65 + serial % 26)}X", "name": UNICODE},
        "exchange_rate": {
            "currency": "USD", "rate": "0.917431",
            "validFrom": (date(2020, 1, 1) + timedelta(days=serial)).isoformat(),
        },
        "location": {"code": f"L{serial}", "name": UNICODE},
        "asset": {"code": f"A{serial}", "name": UNICODE, "acquisitionCost": "1250.00"},
        "work_order": {"title": f"{UNICODE} {serial}"},
        "purchase_requisition": {"requestedBy": "Ann", "justification": UNICODE, "lines": lines},
        "purchase_order": {"vendorId": ID, "note": UNICODE, "lines": [{"itemId": ID, "quantity": "1"}]},
        "receipt": {"purchaseOrderId": ID, "lines": [{"orderLineId": ID, "received": "1"}]},
        "inventory_transaction": {
            "type": "adjustment", "itemId": ID, "quantity": "1.5", "locationId": ID, "note": UNICODE,
        },
    }[entity]  # fmt: skip


#: entity -> (set, field people know a record by, what a person changes)
SETS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "vendor": ("vendors", "code", {"name": "edited"}),
    "payment_terms": ("paymentTerms", "code", {"dueDays": 901}),
    "item": ("items", "code", {"description": "edited"}),
    "unit_of_measure": ("units", "code", {"description": "edited"}),
    "item_unit": ("itemUnits", "unitCode", {"factor": "99"}),
    "account": ("accounts", "code", {"name": "edited"}),
    "dimension": ("dimensions", "code", {"name": "edited"}),
    "dimension_value": ("dimensionValues", "code", {"name": "edited"}),
    "currency": ("currencies", "code", {"name": "edited"}),
    "exchange_rate": ("exchangeRates", "validFrom", {"rate": "2"}),
    "location": ("locations", "code", {"name": "edited"}),
    "asset": ("assets", "code", {"name": "edited"}),
    "work_order": ("workOrders", "number", {"title": "edited"}),
    "purchase_requisition": ("requisitions", "number", {"justification": "edited"}),
    "purchase_order": ("purchaseOrders", "number", {"externalStatus": "edited"}),
    "receipt": ("receipts", "number", {"externalStatus": "edited"}),
    "inventory_transaction": ("stockTransactions", "number", {"externalStatus": "edited"}),
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


class CafmHarness(Harness):
    """The profile as it is shipped, for some of its entities: the suite works on all of them at once."""

    faults = frozenset(FAULTS)  # type: ignore[assignment]
    secrets = (KEY,)

    def __init__(self, box: Sandbox, folder: Path, reads: Collection[str], writes: Collection[str]) -> None:
        self.box = box
        self.clock = BoxClock(box)
        self._serial = 0
        profile = yaml.safe_load(profile_text("cafm"))
        # Masters that others refer to are there for `joins`, and stay out of the suite's way.
        profile["entities"] = {name: one for name, one in profile["entities"].items() if name in reads}
        for name, one in profile["entities"].items():
            one["actions"] = [action for action in one.get("actions", ()) if action != "create" or name in writes]
        profile["limits"]["requests"] = 1_000_000
        self._profile = folder / "cafm.yaml"
        self._profile.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")

    def connector(self) -> Connector:
        config = RestConfig(
            profile=str(self._profile), url=f"{self.box.url}/api/v1", ca=str(self.box.ca), api_key=KEY, call_timeout=5
        )
        return connect(config, self.clock)

    async def seed(self, entity: str, count: int) -> None:
        def enter() -> None:
            for _ in range(count):
                self._serial += 1
                if entity == "item_unit":
                    self._act("POST", "/units", {"code": f"B{self._serial}"})
                self._act("POST", f"/{SETS[entity][0]}", body(entity, self._serial))

        await asyncio.to_thread(enter)

    async def total(self, entity: str) -> int:
        return len(self.box.records(SETS[entity][0]))

    async def edit(self, entity: str, record: NativeRecord) -> bool:
        native, _, change = SETS[entity]
        await asyncio.to_thread(self._act, "PATCH", f"/{native}/{record.id}", dict(change))
        return True

    async def remove(self, entity: str, record: NativeRecord) -> bool:
        await asyncio.to_thread(self._act, "DELETE", f"/{SETS[entity][0]}/{record.id}", None)
        return True

    def key_field(self, entity: str) -> str:
        return SETS[entity][1]

    def operation(self, entity: str, serial: int, *, delivery: str, earlier: Sequence[str] = ()) -> Operation:
        native = dict(body(entity, serial))
        for name, value in native.items():
            if name.endswith("Id"):
                native[name] = str(value)
            elif name in {"quantity", "unitCost", "factor", "rate"}:
                native[name] = Decimal(value)
        if entity == "item_unit":
            self.box.act("POST", "/units", {"code": native["unitCode"]})  # twice is once
        return Operation(
            key=f"event-{entity}-{serial}", entity=entity, action="create", native=native, mark=f"IS-{serial}",
            delivery=delivery, earlier=tuple(earlier),
        )  # fmt: skip

    def refused(self, entity: str, serial: int, *, delivery: str) -> Refusal | None:
        operation = self.operation(entity, serial, delivery=delivery)
        wrong: dict[str, tuple[dict[str, Any], str]] = {
            "vendor": ({"code": "X" * 30}, "too_long"),
            "item_unit": ({"factor": Decimal("0")}, "out_of_range"),
            "inventory_transaction": ({"type": "gift"}, "not_a_choice"),
        }
        change, code = wrong[entity]
        bad = Operation(
            key=operation.key, entity=entity, action="create", native={**operation.native, **change},
            mark=operation.mark, delivery=delivery,
        )  # fmt: skip
        return Refusal(bad, code)

    async def effects(self, operation: Operation) -> int:
        return sum(self._as_meant(operation, record) for record in self.box.records(SETS[operation.entity][0]))

    def _as_meant(self, operation: Operation, record: Mapping[str, Any]) -> bool:
        if operation.entity == "inventory_transaction" and record["externalId"] != operation.mark:
            return False
        return all(_same(record[name], value) for name, value in operation.native.items())

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

    def _act(self, method: str, path: str, content: Any) -> None:
        answer = self.box.act(method, path, content)
        assert answer["status"] < 300, answer


def _same(shown: Any, sent: Any) -> bool:
    if isinstance(sent, Decimal):
        return Decimal(str(shown)) == sent
    return str(shown) == str(sent)


READS = ("vendor", "item", "item_unit", "work_order", "inventory_transaction")
WRITES = ("vendor", "item_unit", "inventory_transaction")


@pytest.fixture
async def harness(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[CafmHarness]:
    reads = tuple(SETS) if getattr(request.cls, "whole", False) else READS
    async with Sandbox(dict(FACILITY), home=tmp_path / "box") as box:
        yield CafmHarness(box, tmp_path, reads, WRITES)
