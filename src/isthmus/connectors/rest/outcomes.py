"""Outcomes made of answers and of errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.judging import Exists, without_values
from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import UNSET
from isthmus.contract.operations import Operation, Outcome, Result
from isthmus.contract.records import NativeRecord
from isthmus.errors import IsthmusError, Reject, Retry, Stale, Unreachable

_LONGEST_VALUE = 40


def done(facts: Facts, operation: Operation, record: NativeRecord | None, native_id: str = "") -> Outcome:
    """In effect. `record`: as the system shows it now, where it does."""
    if record is None:
        return Outcome(
            key=operation.key,
            result="done",
            native_id=native_id or operation.native_id,
            number=facts.number(operation.native) or None,
        )
    return Outcome(
        key=operation.key,
        result="done",
        native_id=record.id,
        version=record.version,
        number=facts.number(record.data) or record.id,
        native=record.data,
    )


def failed(facts: Facts, operation: Operation, error: IsthmusError) -> Outcome:
    """What became of an operation that ended in `error`. Texts of the document do not stand in it."""
    result: Result = "stale" if isinstance(error, Stale) else error.next_step
    if isinstance(error, Unreachable):
        result = "retry"
    field = error.field if isinstance(error, Reject) else ""
    value = error.value if isinstance(error, Reject) else ""
    if field and not value:
        value = _value(facts, operation.native, field)
    text = without_values(error.message, operation.native, _personal(facts.shape.specs, operation.native))
    mend = error.hint
    if result == "reject" and not mend:
        mend = f"Correct {field or 'the record'} at its source, or in the mapping of {operation.entity}."
    return Outcome(
        key=operation.key,
        result=result,
        native_id=error.existing or operation.native_id if isinstance(error, Exists) else operation.native_id,
        code=error.code,
        text=text,
        mend=mend,
        field=field or ("record" if result == "reject" else ""),
        value=value,
        after=error.after if isinstance(error, Retry) else None,
    )


def _value(facts: Facts, native: Mapping[str, Any], field: str) -> str:
    """The plain value at a place of the document, as far as it may be shown."""
    found = getter(field)(native)
    if found is UNSET or found is None or isinstance(found, Mapping | list | tuple):
        return ""
    spec = _spec(facts.shape.specs, field)
    return "" if spec is not None and spec.personal else str(found)[:_LONGEST_VALUE]


def _spec(specs: Mapping[str, FieldSpec | None], field: str) -> FieldSpec | None:
    first, _, rest = field.partition(".")
    spec = specs.get(first.partition("[")[0])
    return _spec(spec.fields, rest) if spec is not None and rest else spec


def _personal(specs: Mapping[str, FieldSpec | None], native: Mapping[str, Any]) -> Iterator[str]:
    """Values of personal fields."""
    for name, value in native.items():
        spec = specs.get(name)
        if spec is None:
            continue
        if spec.personal and isinstance(value, str):
            yield value
        inner = value if isinstance(value, list | tuple) else [value]
        for part in inner:
            if isinstance(part, Mapping):
                yield from _personal(spec.fields, part)
