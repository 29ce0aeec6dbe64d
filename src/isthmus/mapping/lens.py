"""The lens: the two-way mapping of one entity in one connection, ready to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from isthmus.mapping import explaining, references, sheets
from isthmus.mapping.context import EMPTY_CONTEXT, LensContext
from isthmus.mapping.plan import Plan
from isthmus.mapping.reading import ReadScope, make_reader
from isthmus.mapping.references import Pair
from isthmus.mapping.writing import WriteScope, make_writers
from isthmus.model.entity import EntityType, State
from isthmus.model.finding import Finding


class Reading(Struct, frozen=True):
    """What a lens made of a native record. Fields with a finding are absent from the state, all others are there."""

    state: State
    findings: tuple[Finding, ...] = ()


class Writing(Struct, frozen=True):
    """What a lens wants to write: mapped, writable native fields only. Fields with a finding are left out."""

    native: dict[str, Any]
    findings: tuple[Finding, ...] = ()


class Lens:
    """Made by `compile_lens`. Immutable; read and write are pure and safe to repeat.

    entity   the canonical entity
    native   name of the native set
    file     the base document
    """

    def __init__(
        self, entity: EntityType, native: str, file: str, plans: tuple[Plan, ...], keep: tuple[str, ...]
    ) -> None:
        self.entity = entity
        self.native = native
        self.file = file
        self.plans = plans
        self.keep = keep
        self._readers = tuple(make_reader(plan) for plan in plans if plan.reads)
        self._writers = make_writers(plans)
        self._in_states = references.in_states(plans)
        self._in_natives = references.in_natives(plans)

    def read(self, data: Mapping[str, Any], context: LensContext = EMPTY_CONTEXT) -> Reading:
        """The state of a native record, and every finding on the way. Never raises for what is in the data."""
        state: State = {}
        findings: list[Finding] = []
        scope = ReadScope(context, findings)
        for reader in self._readers:
            reader(data, scope, state)
        return Reading(state, tuple(findings))

    def write(
        self, state: State, context: LensContext = EMPTY_CONTEXT, *, current: Mapping[str, Any] | None = None
    ) -> Writing:
        """The native fields to write for a state: absent stays absent, null is written as null.

        `current` is what the system shows now; lists take the unmapped fields of their elements from it.
        """
        native: dict[str, Any] = {}
        findings: list[Finding] = []
        scope = WriteScope(context, findings, current)
        for writer in self._writers:
            writer(state, scope, native)
        return Writing(native, tuple(findings))

    def references(self, state: State) -> Iterator[Pair]:
        """(entity, number) of the records a state refers to that `write` needs the native ids of."""
        return self._in_states.find(state)

    def entities_referred_to(self) -> frozenset[str]:
        """Entities that `ref` rules name, in either direction."""
        return self._in_states.entities() | self._in_natives.entities()

    def native_references(self, data: Mapping[str, Any]) -> Iterator[Pair]:
        """(entity, native id) of the records a native record refers to that `read` needs the numbers of."""
        return self._in_natives.find(data)

    def read_only_paths(self) -> frozenset[str]:
        """Canonical paths it reads but never writes, elements of lists included: `lines.received`."""
        return frozenset(_read_only(self.plans, ""))

    def native_fields(self) -> tuple[str, ...]:
        """All native names of the record the lens reads, in order, as written in the mapping (`a.b` for b in object a).

        For $select: lists are named, the fields of their elements are not. Formulas, conditions and keep are included.
        """
        names = [name for plan in self.plans if plan.reads for name in plan.used()]
        return tuple(dict.fromkeys([*names, *self.keep]))

    def explain(self, data: Mapping[str, Any], context: LensContext = EMPTY_CONTEXT) -> tuple[explaining.Trace, ...]:
        """Field by field: what was found, each step, what came out. Personal and secret values are masked."""
        return explaining.explain(self.plans, data, context)

    def sheet(self) -> tuple[sheets.SheetRow, ...]:
        """The complete mapping sheet, one row per rule, for people and for export."""
        return sheets.sheet(self.plans)


def _read_only(plans: Sequence[Plan], prefix: str) -> Iterator[str]:
    for plan in plans:
        path = f"{prefix}{'.'.join(plan.parts)}"
        if plan.reads and not plan.writes:
            yield path
        elif plan.kind == "each":
            yield from _read_only(plan.sub, f"{path}.")
