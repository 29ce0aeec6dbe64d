"""Making and renaming dimension values on page 537; they are read from the standard set (bc.md §13, §18)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from isthmus.connectors.dynamics._odata import literal
from isthmus.connectors.dynamics.business_central.masters.facts import Reference
from isthmus.connectors.dynamics.business_central.masters.refusals import exists, unknown
from isthmus.connectors.dynamics.business_central.masters.values import same
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.errors import IsthmusError, Reject, Stale, Uncertain

_KIND = "dimension_values"
_NATIVE = "dimensionValues"
_KEY = ("dimensionCode", "code")
_TAKEN = "Internal_EntityWithSameKeyExists"
_DIMENSION = Reference("dimensions", "code", "Dimensions")


class DimensionValueWay:
    """Creation and renaming. Dimension and code are the key, so the service refuses a second one."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._published = site.published
        self._reading = site.reading

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Made or renamed on the page, then read from the set, which alone has its id."""
        for operation in operations:
            try:
                self._usable(operation)
            except Reject as refusal:
                yield outcome_of(operation.key, refusal)
                continue
            try:
                if operation.action == "create":
                    await self._insert(place, operation)
                else:
                    await self._rename(place, operation)
            except IsthmusError as error:
                if error.code != _TAKEN or operation.action != "create":
                    yield await self._refused(place, operation, error)
                    continue
            yield await self._read_back(place, operation)

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By dimension and code, or by id."""
        found: dict[str, Outcome] = {}
        for operation in operations:
            record = await self._record(place, operation)
            if record is not None and (outcome := _verdict(operation, record)) is not None:
                found[operation.key] = outcome
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """One row is there or it is not."""

    def _usable(self, operation: Operation) -> None:
        """Raises Reject for what cannot be sent."""
        self._published.name(_KIND)
        missing = [name for name in _KEY if operation.native.get(name) in (None, "")]
        if missing and operation.action == "create":
            raise Reject(f"a dimension value has no {missing[0]}.", code="field_missing", field=missing[0])

    async def _insert(self, place: Place, operation: Operation) -> None:
        body = {
            "Dimension_Code": operation.native["dimensionCode"],
            "Code": operation.native["code"],
            "Name": operation.native.get("displayName") or "",
        }
        await self._published.insert(place.name, _KIND, body)

    async def _rename(self, place: Place, operation: Operation) -> None:
        """Under the etag of the page, of a row that shows the name the hub knows."""
        record = await self._record(place, operation)
        if record is None or record.deleted:
            raise Reject("the dimension value no longer exists in Business Central.", code="gone")
        if operation.version and record.version != operation.version:
            raise Stale("somebody changed the dimension value in Business Central meanwhile.")
        dimension, code = (str(record.data[name]) for name in _KEY)
        if any(not same(record.data[name], operation.native.get(name, record.data[name])) for name in _KEY):
            raise Reject("dimension and code of a dimension value cannot be changed.", code="key_changed", field="code")
        options = {"$filter": f"Dimension_Code eq {literal(dimension)} and Code eq {literal(code)}"}
        rows = await self._published.rows(place.name, _KIND, options)
        if not rows or not same(rows[0].data.get("Name"), record.data.get("displayName")):
            raise Stale("somebody changed the dimension value in Business Central meanwhile.")
        body = {"Name": operation.native.get("displayName") or ""}
        key = {"Dimension_Code": dimension, "Code": code}
        await self._published.change(place.name, _KIND, key, body, etag=rows[0].etag or "*")

    async def _refused(self, place: Place, operation: Operation, error: IsthmusError) -> Outcome:
        """A refusal is explained by a dimension that does not exist, else told in the service's words."""
        code = str(operation.native.get("dimensionCode") or "")
        if isinstance(error, Reject) and code and operation.action == "create":
            with suppress(IsthmusError):
                if not await exists(self._site, place, _DIMENSION, code):
                    return outcome_of(operation.key, unknown("dimensionCode", code, _DIMENSION, place))
        return outcome_of(operation.key, error)

    async def _read_back(self, place: Place, operation: Operation) -> Outcome:
        try:
            record = await self._record(place, operation)
        except IsthmusError as error:
            doubt = Uncertain(f"written, but it could not be read back: {error.message}", code="unconfirmed")
            return outcome_of(operation.key, doubt)
        verdict = _verdict(operation, record) if record is not None else None
        return verdict or outcome_of(
            operation.key, Uncertain("the answer says it was written, but it does not show.", code="not_kept")
        )

    async def _record(self, place: Place, operation: Operation) -> NativeRecord | None:
        if operation.action == "update":
            return (await self._reading.fetch(_NATIVE, place.name, [operation.native_id or ""]))[0]
        equals = {name: (str(operation.native.get(name) or "").strip().upper(),) for name in _KEY}
        request = ReadRequest(native=_NATIVE, company=place.name, equals=equals)
        records = (await self._reading.read(request)).records
        return records[0] if records else None


def _verdict(operation: Operation, record: NativeRecord) -> Outcome | None:
    """What a look says: written, gone, a stranger's; None for one that does not show the change yet."""
    if record.deleted:
        return outcome_of(
            operation.key, Reject("the dimension value no longer exists in Business Central.", code="gone")
        )
    if same(record.data.get("displayName"), operation.native.get("displayName")):
        return _done(operation, record)
    return _taken(operation, record.data) if operation.action == "create" else None


def _taken(operation: Operation, data: Mapping[str, Any]) -> Outcome:
    where = "/".join(str(data.get(name)) for name in _KEY)
    return Outcome(
        key=operation.key,
        result="reject",
        code="number_taken",
        text=f"dimension value {where} exists under another name.",
        field="code",
        value=where,
        mend="Couple the two (`isthmus couple`), or choose another code.",
    )


def _done(operation: Operation, record: NativeRecord) -> Outcome:
    return Outcome(
        key=operation.key,
        result="done",
        native_id=record.id,
        version=record.version,
        number="/".join(str(record.data.get(name)) for name in _KEY),
        native=record.data,
    )
