"""Fields between wire and native record: ids as text, amounts as Decimal, times in one spelling; exact both ways.

What does not have the declared form stays visible as text that no mapping takes for a value, so that it becomes a
finding of its field and not a wrong number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from isthmus.connectors.rest.amounts import BadForm, Convert, number
from isthmus.connectors.rest.declared.fields import BUILT_IN, FieldSpec
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.moments import NotTime, canonical, day_form, time_form
from isthmus.errors import Reject

_LONGEST_SHOWN = 40


class Shape(Struct, frozen=True):
    """The fields of a record or of an element, ready to run.

    specs   declared fields, kinds resolved
    days    field of a time -> field that holds its day, and how it is found
    """

    specs: Mapping[str, FieldSpec]
    reads: tuple[tuple[str, Convert], ...]
    writes: Mapping[str, Convert]
    days: tuple[tuple[str, str, Convert], ...] = ()

    def read(self, data: dict[str, Any]) -> dict[str, Any]:
        """Wire values in `data` turned into native ones, in place."""
        for name, convert in self.reads:
            if (value := data.get(name)) is not None:
                data[name] = convert(value)
        for name, day, find in self.days:
            data[day] = find(data.get(name))
        return data

    def write(self, native: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """Native values as the wire wants them, without what the system computes. Raises Reject naming the field."""
        found: dict[str, Any] = {}
        made = {day for _, day, _ in self.days} if self.days else ()
        for name, value in native.items():
            spec = self.specs.get(name)
            if name in made or (spec is not None and spec.computed):
                continue
            convert = self.writes.get(name)
            found[name] = value if convert is None or value is None else _written(convert, value, where + name, spec)
        return found


def _written(convert: Convert, value: Any, where: str, spec: FieldSpec | None) -> Any:
    try:
        return convert(value)
    except BadForm as bad:
        hidden = spec is not None and spec.personal
        shown = "" if hidden or isinstance(value, Mapping | list | tuple) else str(value)[:_LONGEST_SHOWN]
        raise Reject(
            f"{where}{f' is {shown}, but it' if shown else ''} needs {bad.wanted}.",
            code="wire_form",
            field=where,
            value=shown,
            hint="Correct the value, or round or convert it in the mapping.",
        ) from None
    except Reject as inner:
        inside = inner.field if inner.field.startswith("[") else f".{inner.field}"
        text = f"{where}{inside}{inner.message.removeprefix(inner.field)}"
        raise Reject(text, code=inner.code, hint=inner.hint, field=where + inside, value=inner.value) from None


class Around(Struct, frozen=True):
    """What fields need to know of the record and the connection they stand in.

    id_wire   what ids are on the wire where a field says nothing
    zone      whose calendar counts for days of times
    """

    profile: Profile
    id_wire: str
    zone: str = "UTC"


def shape_of(fields: Mapping[str, FieldSpec | None], around: Around) -> Shape:
    """The shape of declared fields."""
    profile = around.profile
    specs = {name: resolved(spec, profile) for name, spec in fields.items() if spec is not None}
    reads: list[tuple[str, Convert]] = []
    writes: dict[str, Convert] = {}
    for name, spec in specs.items():
        read, write = _converters(spec, around)
        if read is not None:
            reads.append((name, read))
        if write is not None:
            writes[name] = write
    days = tuple((name, spec.day, _day_in(around.zone)) for name, spec in specs.items() if spec.day)
    return Shape(specs, tuple(reads), writes, days)


def _day_in(zone: str) -> Convert:
    """The day a time falls on in a zone; nothing for nothing."""
    local = ZoneInfo(zone)

    def day(value: Any) -> str | None:
        try:
            return datetime.fromisoformat(value).astimezone(local).date().isoformat()
        except (TypeError, ValueError):
            return None

    return day


def resolved(spec: FieldSpec, profile: Profile) -> FieldSpec:
    """The spec with a name of `kinds` replaced by what it stands for (what the field says itself wins), amounts as
    `money` says, and the same for all fields inside."""
    if spec.kind not in BUILT_IN:
        own = {name: getattr(spec, name) for name in spec.model_fields_set if name != "kind"}
        spec = profile.kinds[spec.kind].model_copy(update=own)
    update: dict[str, Any] = {}
    if spec.kind == "money":
        money = profile.money
        update["wire"] = spec.wire or money.wire
        update["places"] = spec.places if spec.places is not None else money.places
    if spec.fields:
        update["fields"] = {
            name: resolved(one, profile) if one is not None else None for name, one in spec.fields.items()
        }
    return spec.model_copy(update=update) if update else spec


def _converters(spec: FieldSpec, around: Around) -> tuple[Convert | None, Convert | None]:
    kind = spec.kind
    if kind in {"decimal", "money"}:
        return number(spec)
    if kind == "id":
        return _id, (_whole if (spec.wire or around.id_wire) == "number" else None)
    if kind == "time":
        return _time(spec)
    if kind == "date":
        return _day(spec)
    if kind in {"object", "list"}:
        inner = shape_of(spec.fields, around)
        return (_each_value(inner), _written_object(inner)) if kind == "object" else _list(inner)
    if kind == "choice" and spec.words:
        return _words(spec)
    return {"int": (None, _whole), "flag": (None, _flag), "pairs": _pairs(spec)}.get(kind, (None, None))


def _id(value: Any) -> Any:
    """Ids are text, however long the number."""
    if value.__class__ is int:
        return str(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def _whole(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not text.lstrip("-").isdigit() or not text.isascii():
        raise BadForm("a whole number")
    return int(text)


def _flag(value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise BadForm("true or false")


def _pairs(spec: FieldSpec) -> tuple[Convert, Convert]:
    """A list of names and values, seen as an object."""
    name_at, value_at = spec.name_at, spec.value_at

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        pairs = [one for one in value if isinstance(one, dict) and isinstance(one.get(name_at), str)]
        return {one[name_at]: one.get(value_at) for one in pairs}

    def write(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, Mapping):
            raise BadForm("an object of names and values")
        return [{name_at: name, value_at: one} for name, one in value.items() if one not in (None, "")]

    return read, write


def _words(spec: FieldSpec) -> tuple[Convert, Convert]:
    """The words of a choice; a number stays one on the wire."""
    back = {word: int(wire) if wire.lstrip("-").isdigit() else wire for wire, word in spec.words.items()}

    def write(value: Any) -> Any:
        if value not in back:
            raise BadForm(f"one of {', '.join(back)}")
        return back[value]

    return lambda value: spec.words.get(str(value), value), write


def _time(spec: FieldSpec) -> tuple[Convert, Convert]:
    form = time_form(spec.format, spec.zone)

    def read(value: Any) -> Any:
        try:
            return canonical(form.read(value))
        except NotTime:
            return value

    def write(value: Any) -> Any:
        moment = value
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                raise BadForm("a time with its zone") from None
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise BadForm("a time with its zone")
        return form.write(moment)

    return read, write


def _day(spec: FieldSpec) -> tuple[Convert | None, Convert]:
    read_day, write_day = day_form(spec.format)

    def read(value: Any) -> Any:
        try:
            return read_day(value)
        except NotTime:
            return value

    def write(value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise BadForm("a date such as 2026-01-31") from None
        if not isinstance(value, date):
            raise BadForm("a date such as 2026-01-31")
        return write_day(value)

    return (None if spec.format == "iso" else read), write


def _each_value(inner: Shape) -> Convert:
    return lambda value: inner.read(value) if isinstance(value, dict) else value


def _written_object(inner: Shape) -> Convert:
    def write(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise BadForm("an object of names and values")
        return inner.write(value)

    return write


def _list(inner: Shape) -> tuple[Convert | None, Convert]:
    return (_elements(inner) if inner.reads or inner.days else None), _written_elements(inner)


def _elements(inner: Shape) -> Convert:
    def read(value: Any) -> Any:
        if isinstance(value, list):
            for element in value:
                if isinstance(element, dict):
                    inner.read(element)
        return value

    return read


def _written_elements(inner: Shape) -> Convert:
    def write(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise BadForm("a list")
        return [
            inner.write(element, f"[{index}].") if isinstance(element, Mapping) else element
            for index, element in enumerate(value)
        ]

    return write
