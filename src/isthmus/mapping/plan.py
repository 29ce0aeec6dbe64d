"""A rule after compilation: everything the two directions, explain and sheet need, without any YAML left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from isthmus.mapping.context import LensContext, NativeInfo
from isthmus.mapping.formula.compile import Formula
from isthmus.mapping.rules import Rule
from isthmus.model.entity import Field

Kind = Literal["at", "value", "join", "formula", "each"]
#: Marks "not there": absent is not null is not empty.
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()

MASK = "•••"


@dataclass(frozen=True, slots=True)
class Step:
    """One conversion both ways. `nulls`: write wants to see None too."""

    label: str
    read: Callable[[Any, LensContext], Any]
    write: Callable[[Any, LensContext], Any]
    nulls: bool = False
    lossy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One compiled rule.

    natives   native names it reads (and writes), in order
    info      what is known of the native field of an `at` rule
    to_state  strict conversion into the canonical type, default included
    reads, writes   whether it takes part in that direction
    one_way   why it cannot be written, for the sheet
    """

    rule: Rule
    kind: Kind
    field: Field
    natives: tuple[str, ...]
    info: NativeInfo
    steps: tuple[Step, ...]
    to_state: Callable[[Any], Any]
    from_state: Callable[[Any], Any]
    native_form: Callable[[Any], Any]
    default: Any
    reads: bool
    writes: bool
    masked: bool
    one_way: str = ""
    formula: Formula | None = None
    condition: Formula | None = None
    separator: str = " "
    cut: bool = False
    longest: int | None = None
    key: str = ""
    keep: tuple[str, ...] = ()
    sub: tuple[Plan, ...] = ()
    #: fields of the record around that formulas of the elements read
    around: tuple[str, ...] = ()
    #: native names of the elements that must not be written back
    frozen: frozenset[str] = frozenset()
    #: a map entry that is null is left out: maps hold values only
    drop_null: bool = False

    @property
    def path(self) -> str:
        """The whole canonical path."""
        return self.rule.path

    @property
    def parts(self) -> tuple[str, ...]:
        """The canonical path within its level."""
        return self.rule.parts

    @property
    def column(self) -> str:
        """The native field as findings name it."""
        if self.natives:
            return " + ".join(self.natives)
        return ", ".join(self.formula.fields) if self.formula else ""

    def used(self) -> Iterator[str]:
        """Native names of this level it reads, conditions and formulas included."""
        yield from (() if self.kind == "each" and self.natives == ("self",) else self.natives)
        for formula in (self.formula, self.condition):
            if formula is not None:
                yield from formula.fields
        yield from self.around
        if self.kind == "each" and self.natives == ("self",):
            for plan in self.sub:
                yield from plan.used()
            yield from self.keep


def get_native(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """Reads a native field; `a.b` is the field of that very name, else b within the object a."""
    if "." not in name:
        return lambda data: data.get(name, ABSENT)
    path = name.split(".")

    def nested(data: Mapping[str, Any]) -> Any:
        if name in data:
            return data[name]
        value: Any = data
        for part in path:
            if value is None:
                return None
            if not isinstance(value, Mapping) or part not in value:
                return ABSENT
            value = value[part]
        return value

    return nested


def put_native(
    native: dict[str, Any], name: str, value: Any, *, flat: bool, current: Mapping[str, Any] | None = None
) -> None:
    """Writes a native field; `a.b` goes into the object a unless the system has a field of that very name.

    An object is written whole by most systems, so it starts from what the system shows now: its other fields stay.
    """
    if flat or "." not in name:
        native[name] = value
        return
    *parents, last = name.split(".")
    shown: Any = current
    for part in parents:
        shown = shown.get(part) if isinstance(shown, Mapping) else None
        inner = native.get(part)
        if not isinstance(inner, dict):
            inner = native[part] = dict(shown) if isinstance(shown, Mapping) else {}
        native = inner
    native[last] = value


def put_state(state: dict[str, Any], parts: tuple[str, ...], value: Any) -> None:
    """Writes a canonical value at its path."""
    for part in parts[:-1]:
        inner = state.get(part)
        if not isinstance(inner, dict):
            inner = state[part] = {}
        state = inner
    state[parts[-1]] = value


def get_state(state: Mapping[str, Any], parts: tuple[str, ...]) -> Any:
    """The canonical value at a path, ABSENT when it is not told. Nothing within nothing is nothing."""
    value: Any = state
    for part in parts:
        if value is None:
            return None
        if not isinstance(value, Mapping) or part not in value:
            return ABSENT
        value = value[part]
    return value
