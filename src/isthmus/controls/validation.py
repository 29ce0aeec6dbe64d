"""Declared checks of a canonical record: mandatory fields, formats, allowed values, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from isthmus.controls.reading import Reading, suggest
from isthmus.model.document import Document, Path
from isthmus.model.entity import EntityType, Field, State, entities
from isthmus.model.finding import Finding, Severity
from isthmus.model.spelling import spell

_KEYS = ("field", "required", "pattern", "one_of", "min", "max", "severity")
_SEVERITIES: tuple[Severity, ...] = ("error", "hold", "notice")

Bound = Decimal | date


class Check(Struct, frozen=True, kw_only=True):
    """What one field must be like. An empty value is a matter of `required` alone; a list is checked per element."""

    field: str
    required: bool = False
    pattern: re.Pattern[str] | None = None
    one_of: tuple[str, ...] = ()
    min: Bound | None = None
    max: Bound | None = None
    severity: Severity = "error"
    #: the prefixes of `field` that are lists: without elements there is nothing to check
    lists: frozenset[str] = frozenset()
    #: a personal or secret field: findings do not repeat its value
    hidden: bool = False
    place: str = ""


def parse_checks(document: Document, entity: str, at: Path = ("checks",)) -> tuple[Check, ...]:
    """The checks listed at `at` in the document, for records of `entity`.

    Raises ConfigurationError naming every problem with file, line and suggestion.
    """
    reading = Reading(document)
    kind = entities().get(entity)
    if kind is None:
        reading.problem(at, f"there is no entity {entity!r}", suggest(entity, entities()))
    value = document.data
    for part in at:
        value = value.get(part) if isinstance(value, Mapping) else None
    items = [] if value is None else reading.sequence(at, value, "checks")
    checks = [_check(reading, (*at, index), item, kind) for index, item in enumerate(items)]
    reading.finish()
    return tuple(check for check in checks if check is not None)


def validate(state: State, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """All findings of all checks about one state."""
    return tuple(finding for check in checks for finding in _of_check(state, check))


def _of_check(state: State, check: Check) -> Iterator[Finding]:
    for field, value in _values(state, check.field.split("."), "", check.lists):
        if _is_empty(value):
            if check.required:
                mend = f"Fill {check.field} in the source or in the mapping (asked for by {check.place})."
                yield Finding("field_required", check.severity, f"{field} is empty", field=field, mend=mend)
            continue
        yield from _of_value(check, field, value)


def _of_value(check: Check, field: str, value: Any) -> Iterator[Finding]:
    text = _text(value)
    shown = "" if check.hidden else text
    quoted = "its value" if check.hidden else repr(text)
    mend = f"Correct {field} in the source, or the check ({check.place})."
    if check.pattern is not None and not check.pattern.fullmatch(text):
        said = f"{field}: {quoted} does not have the form {check.pattern.pattern}"
        yield Finding("field_format", check.severity, said, field=field, value=shown, mend=mend)
    if check.one_of and text not in check.one_of:
        said = f"{field}: {quoted} is none of {', '.join(check.one_of)}"
        yield Finding("field_not_allowed", check.severity, said, field=field, value=shown, mend=mend)
    if said := _outside(check, field, text, quoted):
        yield Finding("field_out_of_range", check.severity, said, field=field, value=shown, mend=mend)


def _outside(check: Check, field: str, text: str, quoted: str) -> str:
    bound = check.min if check.min is not None else check.max
    if bound is None:
        return ""
    value = _day_of(text) if isinstance(bound, date) else _number_of(text)
    if value is None:
        return f"{field}: {quoted} is not a {'date' if isinstance(bound, date) else 'number'}"
    if check.min is not None and _rank(value) < _rank(check.min):
        return f"{field}: {quoted} is below {check.min}"
    if check.max is not None and _rank(value) > _rank(check.max):
        return f"{field}: {quoted} is above {check.max}"
    return ""


def _rank(value: Bound) -> Decimal:
    return Decimal(value.toordinal()) if isinstance(value, date) else value


def _is_empty(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, list | dict) and not value)
        or (isinstance(value, str) and not value.strip())
    )


def _values(value: Any, parts: list[str], where: str, lists: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """(path with indices, value) of everything a dotted path reaches; lists fan out, a missing field gives None."""
    if not parts:
        yield where, value
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, parts, f"{where}[{index}]", lists)
        return
    inner = value.get(parts[0]) if isinstance(value, Mapping) else None
    path = f"{where}.{parts[0]}" if where else parts[0]
    if inner is None and len(parts) > 1 and re.sub(r"\[\d+\]", "", path) in lists:
        return
    yield from _values(inner, parts[1:], path, lists)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(spell(value))


def _number_of(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _day_of(text: str) -> date | None:
    """The day of a date, or the UTC day of a time."""
    try:
        if "T" not in text:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC).date() if moment.tzinfo else None


def _check(reading: Reading, path: Path, item: Any, kind: EntityType | None) -> Check | None:
    keys = reading.keys(path, item, _KEYS)
    field = reading.code((*path, "field"), keys.get("field"), "the field of the check")
    if field is None or kind is None:
        return None
    described = kind.field(field)
    if described is None and not _inside_map(kind, field):
        reading.problem((*path, "field"), f"{kind.name} has no field {field!r}", suggest(field, kind.paths()))
    low, high = (_bound(reading, (*path, name), keys.get(name), described) for name in ("min", "max"))
    if low is not None and high is not None:
        if isinstance(low, date) != isinstance(high, date):
            reading.problem((*path, "max"), "min and max must both be numbers or both be dates")
        elif _rank(low) > _rank(high):
            reading.problem((*path, "max"), f"max {high} is below min {low}")
    required = reading.flag((*path, "required"), keys.get("required"), "required")
    if not required and not {"pattern", "one_of", "min", "max"} & keys.keys():
        reading.problem(path, f"the check of {field} asks for nothing", f"Known: {', '.join(_KEYS[1:])}.")
    line = reading.document.line(path)
    return Check(
        field=field,
        required=required,
        pattern=_pattern(reading, (*path, "pattern"), keys.get("pattern")),
        one_of=_allowed(reading, (*path, "one_of"), keys, described),
        min=low,
        max=high,
        severity=_severity(reading, (*path, "severity"), keys.get("severity", "error")),
        lists=_lists(kind, field),
        hidden=any(found.sensitivity != "plain" for found in _ancestry(kind, field)),
        place=f"{reading.document.file}:{line}" if line else reading.document.file,
    )


def _ancestry(kind: EntityType, path: str) -> Iterator[Field]:
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        if (field := kind.field(".".join(parts[:end]))) is not None:
            yield field


def _inside_map(kind: EntityType, path: str) -> bool:
    """Custom fields travel without code, so their names are not known here."""
    return any(field.type == "map" for field in _ancestry(kind, path))


def _lists(kind: EntityType, path: str) -> frozenset[str]:
    parts = path.split(".")
    prefixes = (".".join(parts[:end]) for end in range(1, len(parts)))
    return frozenset(prefix for prefix in prefixes if (field := kind.field(prefix)) and field.type == "list")


def _bound(reading: Reading, path: Path, value: Any, field: Field | None) -> Bound | None:
    if value is None:
        return None
    if field is not None and field.type in {"enum", "bool", "list", "struct", "map"}:
        reading.problem(path, f"{field.path} is a {field.type} and has no {path[-1]}")
        return None
    if (field is not None and field.type in {"date", "time"}) or isinstance(value, str):
        return reading.day(path, value)
    return reading.number(path, value, str(path[-1]))


def _pattern(reading: Reading, path: Path, value: Any) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(str(value))
    except re.error as error:
        reading.problem(path, f"{str(value)!r} is not a regular expression: {error}")
        return None


def _allowed(reading: Reading, path: Path, keys: Mapping[str, Any], field: Field | None) -> tuple[str, ...]:
    if "one_of" not in keys:
        return ()
    items = reading.sequence(path, keys["one_of"], "values")
    if not items and isinstance(keys["one_of"], list):
        reading.problem(path, "one_of allows no value at all")
    values = tuple(_text(item) for item in items)
    if field is not None and field.choices:
        for index, value in enumerate(values):
            if value not in field.choices:
                reading.problem((*path, index), f"{value!r} can never be", suggest(value, field.choices))
    return values


def _severity(reading: Reading, path: Path, value: Any) -> Severity:
    for known in _SEVERITIES:
        if value == known:
            return known
    reading.problem(path, f"severity {value!r} is not known", suggest(str(value), _SEVERITIES))
    return "error"
