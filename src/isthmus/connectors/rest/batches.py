"""Several writing calls in one: made by the profile's recipe, each operation with its own outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.connectors.rest.client import ReadyCall, RestClient, ready
from isthmus.connectors.rest.declared.calls import Call
from isthmus.connectors.rest.declared.entities import Batch
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.outcomes import failed
from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import UNSET, compiled
from isthmus.connectors.rest.writing import Step, Writer
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Uncertain

Member = tuple[Operation, Step]


class Batches:
    """Batches of one connection."""

    def __init__(self, batch: Batch, client: RestClient, writer: Writer) -> None:
        self.most = batch.most
        self._spec = batch
        self._client = client
        self._writer = writer
        self._call: ReadyCall = ready(Call(method="POST", path=batch.path, body=batch.body))
        self._operation = compiled(batch.operation)
        self._results = getter(batch.results)

    def takes(self, operation: Operation, step: Step) -> bool:
        """Whether an operation may travel in a batch."""
        return operation.action in self._spec.actions and step.writing.call.form == "json"

    async def carry_out(self, facts: Facts, members: Sequence[Member]) -> list[Outcome]:
        """One batch: an outcome per member. A batch refused as a whole is halved until the bad one stands alone."""
        if len(members) == 1:
            return [await self._writer.carry_out(facts, members[0][0])]
        weight = len(members) if self._spec.each else 1
        try:
            operations = [self._told(position, step) for position, (_, step) in enumerate(members)]
            answer = await self._client.call(self._call, {"operations": operations}, writes=True, weight=weight)
        except Reject:
            middle = len(members) // 2
            first = await self.carry_out(facts, members[:middle])
            return first + await self.carry_out(facts, members[middle:])
        except IsthmusError as error:
            return [failed(facts, operation, error) for operation, _ in members]
        results = self._by_position(answer.body, len(members))
        return [
            await self._outcome(facts, operation, step, results.get(position))
            for position, (operation, step) in enumerate(members)
        ]

    def _told(self, position: int, step: Step) -> Any:
        """One operation as the batch says it."""
        names = {**self._client.names, **step.names}
        content = step.writing.call.content(names)
        filled: dict[str, Any] = {
            **names,
            "position": str(position),
            "method": step.writing.call.method,
            "path": step.writing.call.address(names),
        }
        filled.pop("document", None)
        if content is not UNSET:
            filled["document"] = content
        return self._operation(filled)

    def _by_position(self, body: Any, count: int) -> dict[int, Mapping[str, Any]]:
        found = self._results(body)
        results = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        if not self._spec.position:
            return dict(enumerate(results)) if len(results) == count else {}
        get = getter(self._spec.position)
        known: dict[int, Mapping[str, Any]] = {}
        for one in results:
            position = str(get(one))
            if position.isdigit() and int(position) < count:
                known[int(position)] = one
        return known

    async def _outcome(
        self, facts: Facts, operation: Operation, step: Step, result: Mapping[str, Any] | None
    ) -> Outcome:
        status = getter(self._spec.status)(result) if result is not None else UNSET
        if isinstance(status, str) and status.isdigit():
            status = int(status)
        if result is None or not isinstance(status, int):
            lost = Uncertain("the batch answer says nothing of one of its operations.", code="part_unanswered")
            return failed(facts, operation, lost)
        body = getter(self._spec.result)(result)
        body = None if body is UNSET else body
        error = self._client.judge.error(status, body, writes=True, batch=True)
        if error is not None:
            return await self._writer.failure(facts, operation, error)
        try:
            return await self._writer.settle(facts, operation, step, body)
        except IsthmusError as unclear:
            return failed(facts, operation, unclear)
