"""Writing: one operation by the calls it needs, each answer judged; nothing is sent twice after an unknown outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.comparing import shows
from isthmus.connectors.rest.details import Details
from isthmus.connectors.rest.documents import (
    called_status,
    changed_document,
    mark_of,
    moves,
    needs_shown,
    new_document,
    wanted_status,
)
from isthmus.connectors.rest.facts import Facts, Writing
from isthmus.connectors.rest.judging import Exists, Gone
from isthmus.connectors.rest.look_ups import LookUps
from isthmus.connectors.rest.narrow import Narrow
from isthmus.connectors.rest.notes import note_names
from isthmus.connectors.rest.outcomes import done, failed
from isthmus.connectors.rest.templates import UNSET
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord
from isthmus.errors import IsthmusError, Reject, Stale, Uncertain


class Step(Struct, frozen=True):
    """One writing call: which, and the values of its names."""

    writing: Writing
    names: Mapping[str, Any]


class Writer:
    """Writes of one connection."""

    def __init__(self, client: RestClient, details: Details, narrow: Narrow, look_ups: LookUps) -> None:
        self._client = client
        self._details = details
        self._narrow = narrow
        self._look_ups = look_ups

    def step(self, facts: Facts, operation: Operation) -> Step | None:
        """The one call that carries out an operation; None when it needs to know more, or several calls.

        Raises Reject when it cannot be sent.
        """
        action = operation.action
        if action in {"create", "post"}:
            if operation.earlier or (called_status(facts, operation) and wanted_status(facts, operation) is not None):
                return None
            return self._step(facts, operation, action, new_document(facts, operation))
        if action == "note":
            names = note_names(facts, operation)
            return None if names is None else Step(facts.writing["note"], {**self._names(facts, operation), **names})
        if action == "update" and (needs_shown(facts, operation) or not operation.native):
            return None
        document = changed_document(facts, operation, None) if action == "update" else {}
        return self._step(facts, operation, action, document)

    async def carry_out(self, facts: Facts, operation: Operation) -> Outcome:
        """One operation, by as many calls as it takes. Never raises for what the system answers."""
        try:
            if (step := self.step(facts, operation)) is not None:
                return await self._one(facts, operation, step)
            if operation.action == "note":
                return done(facts, operation, None)
            if operation.action in {"create", "post"}:
                return await self._create(facts, operation)
            return await self._update(facts, operation)
        except IsthmusError as error:
            return failed(facts, operation, error)

    async def settle(self, facts: Facts, operation: Operation, step: Step, body: Any) -> Outcome:
        """The outcome of a call that worked, from its answer's body."""
        return done(facts, operation, *await self._result(facts, operation, step, body))

    async def failure(self, facts: Facts, operation: Operation, error: IsthmusError) -> Outcome:
        """The outcome of a call that did not work. A taken key counts as done where the record is the one meant."""
        try:
            if isinstance(error, Exists) and operation.action in {"create", "post"}:
                return await self._taken(facts, operation, error)
            if isinstance(error, Gone) and operation.action == "delete":
                return done(facts, operation, None)
        except IsthmusError as second:
            return failed(facts, operation, second)
        return failed(facts, operation, error)

    async def _one(self, facts: Facts, operation: Operation, step: Step) -> Outcome:
        try:
            answer = await self._client.call(step.writing.call, step.names, writes=True)
        except IsthmusError as error:
            return await self.failure(facts, operation, error)
        return await self.settle(facts, operation, step, answer.body)

    async def _create(self, facts: Facts, operation: Operation) -> Outcome:
        """A new record that was sent before, or whose status a call has to change."""
        record = await self._look_ups.found(facts, operation) if operation.earlier else None
        if record is None:
            step = self._step(facts, operation, operation.action, new_document(facts, operation))
            try:
                answer = await self._client.call(step.writing.call, step.names, writes=True)
            except Exists as error:
                return await self._taken(facts, operation, error)
            record, native_id = await self._result(facts, operation, step, answer.body)
            if record is None:
                record = await self._details.one(facts, native_id, operation.company)
        try:
            return done(facts, operation, await self._moved(facts, operation, record))
        except Reject as error:
            text = f"made as {facts.number(record.data) or record.id}, but: {error.message}"
            refused = Reject(text, code=error.code, hint=error.hint, field=error.field, value=error.value)
            return failed(facts, operation, refused)

    async def _taken(self, facts: Facts, operation: Operation, error: Exists) -> Outcome:
        """The key is taken: by a delivery of ours whose answer was lost, or by a record equal to what was sent."""
        record = await self._look_ups.found(facts, operation)
        status = wanted_status(facts, operation)
        sent = {
            name: value
            for name, value in operation.native.items()
            if status is None or facts.whole.own.status is None or name != facts.whole.own.status.at
        }
        if record is not None and (operation.earlier or shows(facts, record.data, sent)):
            return done(facts, operation, await self._moved(facts, operation, record))
        if record is not None:
            error.existing = record.id
        if not error.hint:
            error.hint = "Link the two records, or give one of them another key."
        return failed(facts, operation, error)

    async def _update(self, facts: Facts, operation: Operation) -> Outcome:
        """An update that needs the record as it is now."""
        record = await self._shown(facts, operation)
        version = facts.whole.version
        outdated = operation.version is not None and record.version != operation.version
        if version is not None and version.guard == "read" and outdated:
            raise Stale(f"{facts.native} {record.id} was changed meanwhile.")
        document = changed_document(facts, operation, record.data)
        if document:
            step = self._step(facts, operation, "update", document)
            answer = await self._client.call(step.writing.call, step.names, writes=True)
            shown, _ = await self._result(facts, operation, step, answer.body)
            record = shown or await self._shown(facts, operation)
        elif version is not None and version.guard == "sent" and outdated:
            raise Stale(f"{facts.native} {record.id} was changed meanwhile.")
        return done(facts, operation, await self._moved(facts, operation, record))

    async def _moved(self, facts: Facts, operation: Operation, record: NativeRecord) -> NativeRecord:
        """The record after the calls that bring it to the status wanted."""
        wanted, status = wanted_status(facts, operation), facts.whole.own.status
        if wanted is None or status is None or "status" not in facts.writing:
            return record
        for word in moves(facts, str(record.data.get(status.at) or ""), wanted):
            names = self._names(facts, operation) | {
                "id": facts.wire_id(record.id),
                "version": record.version,
                "status": word,
            }
            step = Step(facts.writing["status"], names)
            answer = await self._client.call(step.writing.call, names, writes=True)
            shown, _ = await self._result(facts, operation, step, answer.body)
            record = shown or await self._details.one(facts, record.id, operation.company)
        return record

    async def _shown(self, facts: Facts, operation: Operation) -> NativeRecord:
        found = await self._narrow.fetch(facts, [operation.native_id or ""], operation.company)
        if found[0].deleted:
            raise Gone(f"{facts.native} {operation.native_id} does not exist any more.", field=facts.whole.id.at)
        return found[0]

    async def _result(
        self, facts: Facts, operation: Operation, step: Step, body: Any
    ) -> tuple[NativeRecord | None, str]:
        """The record after a write that worked, and its id. The write is in effect, whatever comes now."""
        if operation.action in {"delete", "note"}:
            return None, operation.native_id or ""
        spec, native_id = step.writing.spec, operation.native_id or ""
        data = step.writing.record(body) if spec.answer == "record" else None
        if isinstance(data, dict):
            native_id = facts.id(data) or native_id
        elif spec.answer == "id":
            found = step.writing.id(body)
            native_id = str(found) if isinstance(found, str | int) and found is not UNSET else native_id
        native_id = native_id or facts.id(operation.native)
        if not native_id:
            raise Uncertain("the answer does not tell which record was made.", code="no_record")
        try:
            if spec.reread:
                record = await self._details.one(facts, native_id, operation.company)
                return (None if record.deleted else record), native_id
            if isinstance(data, dict) and facts.id(data):
                return (await self._details.records(facts, [data], company=operation.company))[0], native_id
        except IsthmusError:  # done all the same: what it shows now is learned by the next read
            return None, native_id
        return None, native_id

    def _step(self, facts: Facts, operation: Operation, call: str, document: Mapping[str, Any]) -> Step:
        return Step(facts.writing[call], {**self._names(facts, operation), "document": document})

    def _names(self, facts: Facts, operation: Operation) -> dict[str, Any]:
        names: dict[str, Any] = {"set": facts.native, "mark": mark_of(operation)}
        if operation.company:
            names["company"] = operation.company
        if operation.native_id:
            wire = facts.wire_id(operation.native_id)
            if wire is UNSET:
                raise Gone(f"{facts.native} has no record {operation.native_id!r}.", field=facts.whole.id.at)
            names["id"] = wire
        if operation.version is not None and facts.whole.version is not None:
            names["version"] = operation.version
        return names
