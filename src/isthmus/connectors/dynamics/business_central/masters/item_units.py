"""Making and changing units of items on page 5404: item and unit are the key, so the service refuses a second one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from msgspec import structs

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.item_units import KIND, key_of, unit_id, unit_record, units_by
from isthmus.connectors.dynamics.business_central.masters.facts import Reference
from isthmus.connectors.dynamics.business_central.masters.refusals import exists, unknown
from isthmus.connectors.dynamics.business_central.masters.values import same
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord
from isthmus.errors import IsthmusError, Reject, Uncertain

_FACTOR = "Qty_per_Unit_of_Measure"
_KEY = ("Item_No", "Code")
_TAKEN = "Internal_EntityWithSameKeyExists"
_REFERENCES = {
    "Item_No": Reference("items", "number", "Items"),
    "Code": Reference("unitsOfMeasure", "code", "Units of Measure"),
}


class ItemUnitWay:
    """Creation and change of units of items; both are told by the key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._published = site.published

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One call each, then one look at all: what the page shows counts, not what the answers said."""
        made: list[tuple[Operation, NativeRecord]] = []
        for operation in operations:
            try:
                body = self._body(operation)
            except Reject as refusal:
                yield outcome_of(operation.key, refusal)
                continue
            try:
                made.append((operation, unit_record(await self._send(place, operation, body))))
            except IsthmusError as error:
                yield await self._refused(place, operation, error)
        kept = await self._kept(place, [record.id for _, record in made])
        for operation, record in made:
            doubt = kept.get(record.id)
            yield outcome_of(operation.key, doubt) if doubt else _done(operation, record)

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

    def _body(self, operation: Operation) -> dict[str, Any]:
        """What is sent. Raises Reject for what cannot be."""
        self._published.name(KIND)
        native = operation.native
        if operation.action == "create":
            missing = [name for name in (*_KEY, _FACTOR) if native.get(name) in (None, "")]
            if missing:
                raise Reject(f"a unit of an item has no {missing[0]}.", code="field_missing", field=missing[0])
            return {name: native[name] for name in (*_KEY, _FACTOR)}
        key = key_of(operation.native_id or "")
        if any(not same(part, native.get(name, part)) for name, part in zip(_KEY, key, strict=True)):
            raise Reject(
                "item and unit of a unit of an item cannot be changed.",
                code="key_changed",
                field=_KEY[1],
                hint="Make the new one, and delete the old one on page Item Units of Measure.",
            )
        return {name: value for name, value in native.items() if name not in _KEY}

    async def _send(self, place: Place, operation: Operation, body: Mapping[str, Any]) -> Row:
        if operation.action == "create":
            return await self._published.insert(place.name, KIND, body)
        key = dict(zip(_KEY, key_of(operation.native_id or ""), strict=True))
        return await self._published.change(place.name, KIND, key, body, etag=operation.version or "*")

    async def _kept(self, place: Place, ids: Sequence[str]) -> dict[str, Uncertain]:
        """Doubts about those that are not there when looked for, by id."""
        if not ids:
            return {}
        try:
            there = {record.id for record in await units_by(self._published, place.name, {"id": tuple(ids)})}
            doubt = Uncertain("the answer says it was written, but it does not show.", code="not_kept")
        except IsthmusError as error:
            there = set()
            doubt = Uncertain(f"written, but it could not be read back: {error.message}", code="unconfirmed")
        return {native_id: doubt for native_id in ids if native_id not in there}

    async def _refused(self, place: Place, operation: Operation, error: IsthmusError) -> Outcome:
        if error.code == "not_found" and operation.action == "update":
            return _gone(operation)
        if error.code == _TAKEN and operation.action == "create":
            try:
                return (await self.look_up(place, [operation]))[operation.key]
            except (IsthmusError, KeyError):
                return outcome_of(operation.key, error)
        if not isinstance(error, Reject):
            return outcome_of(operation.key, error)
        try:
            told = await self._unknown(place, operation) or error
        except IsthmusError:
            told = error  # the refusal itself is known; only its explanation is poorer
        mend = f"Mend it on page Item Units of Measure in company {place.name}, or correct the mapping."
        return structs.replace(outcome_of(operation.key, told), mend=told.hint or mend)

    async def _unknown(self, place: Place, operation: Operation) -> Reject | None:
        """The item or unit that does not exist, where that explains a refusal."""
        for name, reference in _REFERENCES.items():
            value = str(operation.native.get(name) or "")
            if value and not await exists(self._site, place, reference, value):
                return unknown(name, value, reference, place)
        return None


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
