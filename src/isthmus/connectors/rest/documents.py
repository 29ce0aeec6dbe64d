"""What is sent: native documents as the wire wants them, marks put in, lists and status as the system wants them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.connectors.rest.facts import Facts
from isthmus.contract.operations import Operation
from isthmus.errors import Reject


def new_document(facts: Facts, operation: Operation) -> dict[str, Any]:
    """The document of a new record. Raises Reject naming a field that cannot be sent."""
    native = {name: value for name, value in operation.native.items() if name != called_status(facts, operation)}
    key = facts.key
    if key is not None and key.mark and not native.get(key.mark):
        native[key.mark] = mark_of(operation)
    document = facts.shape.write(native)
    for name, spec in facts.shape.specs.items():
        elements = document.get(name)
        if spec.patch is not None and isinstance(elements, list):
            document[name] = [_without(element, spec.patch.id) for element in elements]
    return document


def changed_document(facts: Facts, operation: Operation, shown: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document of an update. `shown`: the record as it is now, where `needs_shown` asks for it."""
    status = facts.whole.own.status
    own_call = status.at if status is not None and status.call is not None else ""
    document = facts.shape.write({name: value for name, value in operation.native.items() if name != own_call})
    for name, spec in facts.shape.specs.items():
        elements = document.get(name)
        if spec.patch is not None and isinstance(elements, list) and shown is not None:
            there = facts.shape.write({name: shown.get(name) or []})[name]
            document[name] = _patched(elements, there, spec.patch.id, spec.patch.remove)
    return document


def needs_shown(facts: Facts, operation: Operation) -> bool:
    """Whether an update can only be written by somebody who knows the record as it is now."""
    version = facts.whole.version
    if version is not None and version.guard == "read":
        return True
    if wanted_status(facts, operation) is not None:
        return True
    return any(name in operation.native for name, spec in facts.shape.specs.items() if spec.patch is not None)


def called_status(facts: Facts, operation: Operation) -> str:
    """The field of a status that a new record cannot be made with, because a call has to bring it there; "" else."""
    status = facts.whole.own.status
    if status is None or status.call is None or operation.native.get(status.at) in status.at_creation:
        return ""
    return status.at


def wanted_status(facts: Facts, operation: Operation) -> str | None:
    """The status a record shall be called to; None where it is left alone or is a field like any other."""
    status = facts.whole.own.status
    if status is None or status.call is None:
        return None
    word = operation.native.get(status.at)
    return str(word) if word not in (None, "") else None


def moves(facts: Facts, start: str, end: str) -> Sequence[str]:
    """The words to call one after the other to get from one status to another. Raises Reject when there is no way."""
    status = facts.whole.own.status
    if status is None or start == end:
        return ()
    if not status.moves:
        return (end,)
    came: dict[str, str] = {start: ""}
    queue = deque([start])
    while queue and end not in came:
        here = queue.popleft()
        for word in status.moves.get(here, ()):
            if word not in came:
                came[word] = here
                queue.append(word)
    if end not in came:
        raise Reject(
            f"{status.at} cannot go from {start or 'nothing'} to {end}.",
            code="status_unreachable",
            field=status.at,
            value=end,
            hint=f"From {start or 'nothing'} there is: {', '.join(status.moves.get(start, ())) or 'no way on'}.",
        )
    way = [end]
    while came[way[-1]] != start:
        way.append(came[way[-1]])
    return way[::-1]


def mark_of(operation: Operation) -> str:
    """What a record is marked with to be found again."""
    return operation.mark or operation.key


def _without(element: Any, name: str) -> Any:
    return {key: value for key, value in element.items() if key != name} if isinstance(element, dict) else element


def _patched(elements: list[Any], there: list[Any], name: str, remove: Mapping[str, Any]) -> list[Any]:
    """Elements as an update says them: known ones with their id, new ones without, and those that go."""
    known = {str(element.get(name)) for element in there if isinstance(element, dict)}
    kept = {str(element.get(name)) for element in elements if isinstance(element, dict)}
    told = [
        element if not isinstance(element, dict) or str(element.get(name)) in known else _without(element, name)
        for element in elements
    ]
    gone = [
        {name: element[name], **remove}
        for element in there
        if isinstance(element, dict) and str(element.get(name)) not in kept
    ]
    return [*told, *gone]
