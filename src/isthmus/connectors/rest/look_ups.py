"""Looking up: what the system holds for operations whose answer was lost. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.connectors.rest.comparing import shows
from isthmus.connectors.rest.documents import called_status, mark_of
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.judging import Gone
from isthmus.connectors.rest.narrow import Narrow
from isthmus.connectors.rest.outcomes import done, failed
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord, ReadRequest


class LookUps:
    """Look-ups of one connection."""

    def __init__(self, narrow: Narrow) -> None:
        self._narrow = narrow

    async def look_up(self, facts: Facts, operations: Sequence[Operation]) -> dict[str, Outcome]:
        """By key: what is there. A key that is missing was not found, or not as it was sent."""
        made = [operation for operation in operations if operation.action in {"create", "post"}]
        changed = [one for one in operations if one.action in {"update", "delete"} and one.native_id]
        found = {}
        records = await self._made(facts, made) if made else {}
        for operation in made:
            record = records.get(operation.key)
            if record is not None and _whole(facts, operation, record):
                found[operation.key] = done(facts, operation, record)
        return found | (await self._changed(facts, changed) if changed else {})

    async def found(self, facts: Facts, operation: Operation) -> NativeRecord | None:
        """The record an operation made, or that has its key."""
        return (await self._made(facts, [operation])).get(operation.key)

    async def _made(self, facts: Facts, operations: Sequence[Operation]) -> dict[str, NativeRecord]:
        """Records by the operation they fit."""
        key = facts.key
        if key is None:
            return {}
        field = next((name for name in key.fields if name in facts.asked), key.fields[0])
        wanted = {operation.key: _key_of(facts, operation) for operation in operations}
        place = key.fields.index(field)
        by_company: dict[str, set[str]] = {}
        for operation in operations:
            if all(wanted[operation.key]):
                by_company.setdefault(operation.company, set()).add(wanted[operation.key][place])
        shown: dict[tuple[str, ...], NativeRecord] = {}
        for company, values in by_company.items():
            request = ReadRequest(native=facts.native, company=company, equals={field: tuple(sorted(values))})
            for record in await self._records(facts, field, request):
                parts = tuple(_plain(record.data.get(name)) for name in key.fields)
                shown.setdefault(_folded(facts, parts), record)
        return {
            operation.key: shown[_folded(facts, wanted[operation.key])]
            for operation in operations
            if _folded(facts, wanted[operation.key]) in shown
        }

    async def _records(self, facts: Facts, field: str, request: ReadRequest) -> list[NativeRecord]:
        if field in facts.asked:
            return await self._narrow.by(facts, field, request.equals[field], request)
        return await self._narrow.read(facts, request)

    async def _changed(self, facts: Facts, operations: Sequence[Operation]) -> dict[str, Outcome]:
        """Records that show what was sent, or are gone."""
        found: dict[str, Outcome] = {}
        by_company: dict[str, list[Operation]] = {}
        for operation in operations:
            by_company.setdefault(operation.company, []).append(operation)
        for company, members in by_company.items():
            records = await self._narrow.fetch(facts, [one.native_id or "" for one in members], company)
            for operation, record in zip(members, records, strict=True):
                if operation.action == "delete":
                    if record.deleted:
                        found[operation.key] = done(facts, operation, None)
                elif record.deleted:
                    gone = Gone(f"{facts.native} {record.id} does not exist any more.", field=facts.whole.id.at)
                    found[operation.key] = failed(facts, operation, gone)
                elif shows(facts, record.data, operation.native):
                    found[operation.key] = done(facts, operation, record)
        return found


def _whole(facts: Facts, operation: Operation, record: NativeRecord) -> bool:
    """Whether a new record has come to the status wanted; calls may still have to bring it there."""
    at = called_status(facts, operation)
    wanted = operation.native.get(at) if at else None
    return wanted in (None, "") or str(record.data.get(at)) == str(wanted)


def _key_of(facts: Facts, operation: Operation) -> tuple[str, ...]:
    key = facts.key
    if key is None:
        return ()
    return tuple(
        _plain(operation.native.get(name)) or (mark_of(operation) if name == key.mark else "") for name in key.fields
    )


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _folded(facts: Facts, parts: tuple[str, ...]) -> tuple[str, ...]:
    fold = facts.key is not None and facts.key.ignore_case
    return tuple(part.casefold() for part in parts) if fold else parts
