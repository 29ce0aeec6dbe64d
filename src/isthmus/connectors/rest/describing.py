"""What fields a set has: as records of the live system show them, and as the profile says where it has none to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.facts import Facts
from isthmus.contract.connector import NativeField, NativeType
from isthmus.contract.records import NativeRecord

_TYPES: Mapping[str, NativeType] = {
    "text": "text", "id": "id", "int": "int", "decimal": "decimal", "money": "decimal", "flag": "bool", "date": "date",
    "time": "time", "choice": "enum", "list": "list",
}  # fmt: skip


def described(facts: Facts, records: Sequence[NativeRecord]) -> list[NativeField]:
    """Fields of a set. Without a record nothing is known of the live system: empty."""
    rows = [record.data for record in records if record.data and not record.problem]
    if not rows:
        return []
    united = facts.whole.own.united
    return [
        structs.replace(field, fields=_united(facts, field, united[field.name])) if field.name in united else field
        for field in _fields(facts.shape.specs, rows)
    ]


def _united(facts: Facts, field: NativeField, lists: Sequence[str]) -> tuple[NativeField, ...]:
    """Fields of an element that may come from several lists: what is shown, and what the others declare."""
    if not field.fields:
        return ()  # no record has an element: nothing is known of them
    found = {inner.name: inner for inner in field.fields}
    for name in lists:
        spec = facts.shape.specs.get(name)
        for inner in _declared(spec.fields if spec is not None else {}):
            found.setdefault(inner.name, inner)
    return tuple(found.values())


def _fields(specs: Mapping[str, FieldSpec | None], rows: Sequence[Mapping[str, Any]]) -> list[NativeField]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [_field(name, specs.get(name), [row.get(name) for row in rows]) for name in names]


def _field(name: str, spec: FieldSpec | None, values: Sequence[Any]) -> NativeField:
    inner = list(_objects(values))
    declared = spec.fields if spec is not None else {}
    fields = tuple(_fields(declared, inner)) if inner else tuple(_declared(declared))
    kind = _TYPES.get(spec.kind, "unknown") if spec is not None else _seen(values)
    return NativeField(
        name=name,
        type=kind,
        writable=spec is None or not spec.computed,
        max_length=spec.length if spec is not None else None,
        fields=fields,
    )


def _declared(fields: Mapping[str, FieldSpec | None]) -> Iterable[NativeField]:
    """Fields of an element that no record shows, because its list is empty everywhere."""
    for name, spec in fields.items():
        if spec is not None:
            yield NativeField(name=name, type=_TYPES.get(spec.kind, "unknown"), writable=not spec.computed)


def _objects(values: Sequence[Any]) -> Iterable[Mapping[str, Any]]:
    for value in values:
        if isinstance(value, Mapping):
            yield value
        elif isinstance(value, list):
            yield from (element for element in value if isinstance(element, Mapping))


def _seen(values: Sequence[Any]) -> NativeType:
    """The type values suggest, where the profile says nothing."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    if kinds and kinds <= {int, Decimal}:
        return "decimal"
    if kinds == {list}:
        return "list"
    return "text" if kinds == {str} else "unknown"
