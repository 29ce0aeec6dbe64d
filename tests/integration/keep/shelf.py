"""A system of records in memory: what it is told it keeps, with a name cut to 20 characters and numbers of its own."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from isthmus.contract.capabilities import Capabilities, EntitySupport
from isthmus.contract.connector import NativeField, Traffic
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest
from isthmus.errors import Unreachable
from isthmus.model.finding import Finding

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
LONGEST = 20


class Shelf:
    """Sets of records by native name. `edit`, `add` and `drop` are what people do there; `calls` what was asked."""

    def __init__(self, system: str, *sets: str, versions: bool = True, external_id: str = "") -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in sets}
        self.versions: dict[tuple[str, str], int] = {}
        self.changed: dict[tuple[str, str], datetime] = {}
        self.gone: set[tuple[str, str]] = set()
        self.calls: list[tuple[str, str, str]] = []
        self.written: list[tuple[str, str, Mapping[str, Any]]] = []
        self.lose: int = 0
        self.away = False
        self.before_write: list[Any] = []
        self._now = START
        self._system, self._external = system, external_id
        self._safe = versions
        self._next = 1

    # What people do there.

    def add(self, native: str, row_id: str, **fields: Any) -> None:
        self.rows[native][row_id] = fields
        self._touch(native, row_id)

    def edit(self, native: str, row_id: str, **fields: Any) -> None:
        self.rows[native][row_id].update(fields)
        self._touch(native, row_id)

    def drop(self, native: str, row_id: str) -> None:
        del self.rows[native][row_id]
        self.gone.add((native, row_id))

    def _touch(self, native: str, row_id: str) -> None:
        self._now += timedelta(seconds=1)
        self.versions[native, row_id] = self.versions.get((native, row_id), 0) + 1
        self.changed[native, row_id] = self._now

    # The contract.

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            system=self._system,
            entities={
                native: EntitySupport(
                    native=native,
                    changes="scan",
                    sees_deletes=True,
                    actions=frozenset({"create", "update"}),
                    idempotency="natural_key",
                    batch=100,
                    versions=self._safe,
                    external_id=self._external,
                    settle=timedelta(seconds=5),
                )
                for native in self.rows
            },
            call_timeout=timedelta(seconds=5),
        )

    @property
    def traffic(self) -> Traffic:
        return Traffic()

    async def check(self) -> Sequence[Finding]:
        return []

    async def fingerprint(self) -> Mapping[str, str]:
        return {"shelf": self._system}

    async def describe(self, native: str) -> Sequence[NativeField]:
        del native
        return ()

    async def read(self, request: ReadRequest, known: Known) -> Page:
        del known
        self.calls.append(("read", request.native, ""))
        if self.away:
            raise Unreachable(f"{self._system} is away")
        scan, _, last = (request.cursor or "").partition("|")
        scan = scan if last else f"scan-{len(self.calls)}"
        ids = [row_id for row_id in sorted(self.rows[request.native]) if row_id > last]
        records = tuple(self._record(request.native, row_id) for row_id in ids[: request.limit])
        more = len(ids) > request.limit
        cursor = f"{scan}|{records[-1].id}" if more else None
        return Page(records=records, cursor=cursor, more=more, scan=scan, scan_done=not more)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> Sequence[NativeRecord]:
        del company
        self.calls.append(("fetch", native, ",".join(ids)))
        return [self._record(native, row_id) for row_id in ids]

    def _record(self, native: str, row_id: str) -> NativeRecord:
        if row_id not in self.rows[native]:
            return NativeRecord(id=row_id, deleted=True)
        data = copy.deepcopy(self.rows[native][row_id])
        return NativeRecord(
            id=row_id,
            data=data,
            version=str(self.versions[native, row_id]),
            modified_at=self.changed[native, row_id],
            external_id=str(data.get(self._external) or "") if self._external else "",
        )

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        for meddle in self.before_write:
            meddle()
        self.before_write.clear()
        for operation in operations:
            outcome = self._carry_out(operation)
            if self.lose:
                self.lose -= 1
                continue
            yield outcome

    def _carry_out(self, operation: Operation) -> Outcome:
        native, row_id = operation.entity, operation.native_id
        self.calls.append((operation.action, native, row_id or ""))
        if operation.action == "create":
            row_id = f"{self._system}-{self._next}"
            self._next += 1
            self.rows[native][row_id] = {"mark": operation.mark}
        elif row_id not in self.rows[native]:
            return Outcome(key=operation.key, result="reject", code="gone", text="it is gone")
        elif self._safe and operation.version not in {None, str(self.versions[native, row_id])}:
            return Outcome(key=operation.key, result="stale")
        self.written.append((native, row_id, operation.native))
        self.rows[native][row_id].update(copy.deepcopy(dict(operation.native)))
        name = self.rows[native][row_id].get("name")
        if isinstance(name, str):
            self.rows[native][row_id]["name"] = name[:LONGEST]
        self._touch(native, row_id)
        return self._found(operation.key, native, row_id)

    def _found(self, key: str, native: str, row_id: str) -> Outcome:
        record = self._record(native, row_id)
        return Outcome(
            key=key, result="done", native_id=row_id, version=record.version, native=record.data,
            number=str(record.data.get("own_number") or ""),
        )  # fmt: skip

    async def look_up(self, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        found = {}
        for operation in operations:
            self.calls.append(("look up", operation.entity, operation.mark))
            for row_id, row in self.rows[operation.entity].items():
                if operation.action == "create" and row.get("mark") == operation.mark:
                    found[operation.key] = self._found(operation.key, operation.entity, row_id)
                shown = all(row.get(name) == value for name, value in operation.native.items())
                if operation.action == "update" and row_id == operation.native_id and shown:
                    found[operation.key] = self._found(operation.key, operation.entity, row_id)
        return found

    async def discard(self, operations: Sequence[Operation]) -> None:
        del operations

    async def close(self) -> None:
        return
