"""Fields of live records against the profile: what is missing, what is new, what has another form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.moments import NotTime, day_form, time_form
from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import UNSET
from isthmus.model.finding import Finding, Severity

Row = Mapping[str, Any]
_MEND = "Mend the profile, or tell whoever looks after the system."


def compare_fields(facts: Facts, rows: Sequence[Row]) -> Iterator[tuple[str, Finding | None]]:
    """Part and finding of each declared field, of id and version; fields nobody declared in one finding."""
    yield "id", _id(facts, rows)
    if facts.whole.version is not None:
        yield "version", _there(facts, rows, facts.whole.version.at, "version")
    whole = facts.whole
    places = (whole.id.at, whole.number, whole.version.at if whole.version else "", getattr(whole.changes, "at", ""),
              whole.deleted.at if whole.deleted else "", whole.external_id)  # fmt: skip
    known = {*whole.own.joins, *whole.own.parts, *(place.partition(".")[0] for place in places)}
    specs = {name: spec for name, spec in facts.shape.specs.items() if spec is not None}
    yield from _fields(facts.native, specs, rows, "", known, facts.whole.id.wire)


def _id(facts: Facts, rows: Sequence[Row]) -> Finding | None:
    spec = facts.whole.id
    values = [getter(spec.at)(row) for row in rows]
    if any(value is UNSET or value in (None, "") for value in values):
        return _finding("profile_id", f"a record of {facts.native} has no id at {spec.at}.", spec.at)
    if len({str(value) for value in values}) < len(values):
        return _finding("profile_id", f"records of {facts.native} share an id at {spec.at}.", spec.at)
    number = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    if number != (spec.wire == "number"):
        text = f"ids of {facts.native} are {'numbers' if number else 'texts'} on the wire, the profile says otherwise."
        return _finding("profile_field_type", text, spec.at)
    return None


def _there(facts: Facts, rows: Sequence[Row], place: str, what: str) -> Finding | None:
    if all(getter(place)(row) not in (UNSET, None, "") for row in rows):
        return None
    return _finding("profile_field_missing", f"a record of {facts.native} has no {what} at {place}.", place)


def _fields(
    native: str, specs: Mapping[str, FieldSpec], rows: Sequence[Row], prefix: str, known: set[str], id_wire: str
) -> Iterator[tuple[str, Finding | None]]:
    for name, spec in specs.items():
        part, where = f"field `{prefix}{name}`", f"{prefix}{name}"
        if not any(name in row for row in rows):
            yield part, _finding("profile_field_missing", f"no record of {native} has the field {where}.", where)
            continue
        values = [row[name] for row in rows if row.get(name) is not None]
        yield part, _form(native, where, spec, values, id_wire)
        inner = [one for value in values for one in (value if isinstance(value, list) else [value])]
        objects = [one for one in inner if isinstance(one, dict)]
        if spec.fields and objects:
            deeper = {key: value for key, value in spec.fields.items() if value is not None}
            yield from _fields(native, deeper, objects, f"{where}.", set(), id_wire)
    new = sorted({name for row in rows for name in row} - set(specs) - known)
    if new and (not prefix or specs):
        text = f"{native} shows fields the profile does not know: {', '.join(prefix + name for name in new)}."
        yield "fields", _finding("profile_field_new", text, prefix + new[0], severity="notice")


def _form(native: str, where: str, spec: FieldSpec, values: Sequence[Any], id_wire: str) -> Finding | None:
    wanted = _wanted(spec, id_wire)
    for value in values:
        if not _fits(value, spec, id_wire):
            text = f"{where} of {native} is {_kind(value)} on the wire, the profile says {wanted}."
            return _finding("profile_field_type", text, where)
    words = set(spec.values) or set(spec.words)
    if spec.kind == "choice" and words:
        unknown = sorted({str(value) for value in values} - words)
        if unknown:
            text = f"{where} of {native} has words the profile does not know: {', '.join(unknown[:5])}."
            return _finding("profile_choice", text, where)
    return None


def _fits(value: Any, spec: FieldSpec, id_wire: str) -> bool:
    kind = spec.kind
    if kind in {"object", "list", "pairs"}:
        return isinstance(value, dict if kind == "object" else list)
    if kind == "flag":
        return isinstance(value, bool)
    if kind in {"decimal", "money"}:
        return _is_number(value, spec.wire)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "id":
        return isinstance(value, int if (spec.wire or id_wire) == "number" else str)
    if kind in {"time", "date"}:
        return _is_time(value, spec)
    if kind == "text":
        return isinstance(value, str) and (spec.length is None or len(value) <= spec.length)
    return True


def _is_number(value: Any, wire: str | None) -> bool:
    if wire == "text":
        try:
            return isinstance(value, str) and Decimal(value).is_finite()
        except InvalidOperation:
            return False
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole if wire == "cents" else whole or isinstance(value, Decimal)


def _is_time(value: Any, spec: FieldSpec) -> bool:
    try:
        if spec.kind == "date":
            day_form(spec.format)[0](value)
        else:
            time_form(spec.format, spec.zone).read(value)
    except NotTime:
        return False
    return True


def _wanted(spec: FieldSpec, id_wire: str) -> str:
    if spec.kind in {"decimal", "money", "id"}:
        wire = spec.wire or (id_wire if spec.kind == "id" else "number")
        return f"{spec.kind} as {wire}"
    length = f" of at most {spec.length}" if spec.length else ""
    form = f" ({spec.format})" if spec.kind in {"time", "date"} and spec.format != "iso" else ""
    return f"{spec.kind}{form}{length}"


def _kind(value: Any) -> str:
    """What a value is on the wire; never the value itself."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return f"a text of {len(value)}"
    names = {int: "a whole number", Decimal: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _finding(code: str, text: str, field: str, *, severity: Severity = "error") -> Finding:
    return Finding(code, severity, text, field=field, mend=_MEND)
