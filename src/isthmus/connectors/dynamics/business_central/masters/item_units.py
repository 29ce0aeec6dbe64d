"""Making and changing units of items on page 5404: item and unit are the key, so the service refuses a second one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.item_units import KIND, key_of, unit_id, unit_record, units_by
from isthmus.connectors.dynamics.business_central.masters.values import same
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord
from isthmus.errors import IsthmusError, Reject

_FACTOR = "Qty_per_Unit_of_Measure"
_KEY = ("Item_No", "Code")
_TAKEN = "Internal_EntityWithSameKeyExists"


class ItemUnitWay:
    """Creation and change of units of items; both are told by the key."""

    def __init__(self, site: Site) -> None:
        self._published = site.published

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One call each. Which calls were made shows in the outcomes: none is sent twice."""
        for operation in operations:
            try:
                made = await (self._insert if operation.action == "create" else self._change)(place, operation)
            except IsthmusError as error:
                yield await self._refused(place, operation, error)
                continue
            yield _done(operation, unit_record(made))

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By key. A unit of the same key with another factor is told, not taken for ours."""
        wanted = {operation.key: _id(operation) for operation in operations}
        records = await units_by(self._published, place.name, {"id": tuple(sorted(set(wanted.values())))})
        by_id = {record.id.upper(): record for record in records}
        found: dict[str, Outcome] = {}
        for operation in operations:
            record = by_id.get(wanted[operation.key].upper())
            if record is None:
                if operation.action == "update":
                    found[operation.key] = _gone(operation)
            elif same(record.data.get(_FACTOR), operation.native.get(_FACTOR)):
                found[operation.key] = _done(operation, record)
            elif operation.action == "create":
                found[operation.key] = _taken(operation, record)
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """One row is there or it is not."""

    async def _insert(self, place: Place, operation: Operation) -> Row:
        missing = [name for name in (*_KEY, _FACTOR) if operation.native.get(name) in (None, "")]
        if missing:
            raise Reject(f"a unit of an item has no {missing[0]}.", code="field_missing", field=missing[0])
        body = {name: operation.native[name] for name in (*_KEY, _FACTOR)}
        return await self._published.insert(place.name, KIND, body)

    async def _change(self, place: Place, operation: Operation) -> Row:
        key = key_of(operation.native_id or "")
        if any(not same(part, operation.native.get(name, part)) for name, part in zip(_KEY, key, strict=True)):
            raise Reject(
                "item and unit of a unit of an item cannot be changed.",
                code="key_changed",
                field=_KEY[1],
                hint="Make the new one, and delete the old one on page Item Units of Measure.",
            )
        body = {name: value for name, value in operation.native.items() if name not in _KEY}
        named = dict(zip(_KEY, key, strict=True))
        return await self._published.change(place.name, KIND, named, body, etag=operation.version or "*")

    async def _refused(self, place: Place, operation: Operation, error: IsthmusError) -> Outcome:
        if error.code == "not_found" and operation.action == "update":
            return _gone(operation)
        if error.code == _TAKEN and operation.action == "create":
            try:
                return (await self.look_up(place, [operation]))[operation.key]
            except (IsthmusError, KeyError):
                return outcome_of(operation.key, error)
        return outcome_of(operation.key, error)


def _id(operation: Operation) -> str:
    return unit_id(operation.native) if operation.action == "create" else operation.native_id or ""


def _done(operation: Operation, record: NativeRecord) -> Outcome:
    return Outcome(
        key=operation.key,
        result="done",
        native_id=record.id,
        version=record.version,
        number=record.id,
        native=record.data,
    )


def _taken(operation: Operation, record: NativeRecord) -> Outcome:
    item, unit = key_of(record.id)
    return Outcome(
        key=operation.key,
        result="reject",
        code="number_taken",
        text=f"unit {unit} of item {item} exists with {record.data.get(_FACTOR)} base units, "
        f"ours has {operation.native.get(_FACTOR)}.",
        field=_FACTOR,
        value=str(operation.native.get(_FACTOR)),
        mend="Correct the factor on page Item Units of Measure, or here; then couple the two (`isthmus couple`).",
    )


def _gone(operation: Operation) -> Outcome:
    item, unit = key_of(operation.native_id or "")
    return Outcome(
        key=operation.key,
        result="reject",
        code="gone",
        text=f"unit {unit} of item {item} no longer exists in Business Central.",
        mend="Uncouple it (`isthmus uncouple`), or make it again.",
    )
