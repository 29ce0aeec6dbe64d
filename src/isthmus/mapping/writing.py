"""State -> native: one closure per rule, made once. Only mapped, writable fields appear in what is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from isthmus.mapping.context import LensContext
from isthmus.mapping.failure import BadValue, Failure, TooLong
from isthmus.mapping.formula.compile import Formula
from isthmus.mapping.plain import decimal_of, int_of, text_of
from isthmus.mapping.plan import ABSENT, Plan, get_native, get_state, put_native
from isthmus.mapping.reading import ReadScope, finding_of, make_reader
from isthmus.mapping.steps import writing_chain
from isthmus.model.entity import State
from isthmus.model.finding import Finding

Native = Mapping[str, Any]


@dataclass(slots=True)
class WriteScope:
    """Where a writer stands, and what the native side shows now (None = not known)."""

    context: LensContext
    findings: list[Finding]
    current: Native | None = None
    where: str = ""
    outer: Native | None = None

    def row(self, native: Native) -> Native:
        """What conditions see: what is written, over what the native side shows, over the record around."""
        return {**(self.outer or {}), **(self.current or {}), **native}

    def put(self, native: dict[str, Any], name: str, value: Any, *, flat: bool = False) -> None:
        """Writes one native field of this level."""
        put_native(native, name, value, flat=flat or self.flat(name), current=self.current)

    def flat(self, name: str) -> bool:
        """Whether the native side has a field of this very (dotted) name."""
        return self.current is not None and name in self.current


Writer = Callable[[Mapping[str, Any], WriteScope, dict[str, Any]], None]


def make_writers(plans: Sequence[Plan]) -> tuple[Writer, ...]:
    """Closures of all rules that write. Conditional ones and lists come last: conditions see what others wrote."""
    writing = [plan for plan in plans if plan.writes]
    ordered = sorted(writing, key=lambda plan: (plan.kind == "each", plan.condition is not None))
    return tuple(_make(plan) for plan in ordered)


def _make(plan: Plan) -> Writer:
    writer = _KINDS[plan.kind](plan)
    return writer if plan.condition is None else _conditional(plan, plan.condition, writer)


def _report(plan: Plan, failure: Failure, scope: WriteScope, value: Any) -> None:
    scope.findings.append(finding_of(plan, failure, scope.where + ".".join(plan.parts), value, needs=plan.column))


def _at(plan: Plan) -> Writer:
    name, longest, cut = plan.natives[0], plan.longest, plan.cut
    chain = writing_chain(plan.steps)
    typed, form, parts = plan.from_state, plan.native_form, plan.parts
    flat = "." not in name or plan.info.name == name != ""
    extra = parts[0] == "extra" and plan.info.type == "any" and plan.field.type == "any"

    def write(state: Mapping[str, Any], scope: WriteScope, native: dict[str, Any]) -> None:
        given = get_state(state, parts)
        if given is ABSENT:
            return
        try:
            value = form(chain(typed(given), scope.context))
            if longest is not None and isinstance(value, str) and len(value) > longest:
                if not cut:
                    raise TooLong(f"{name} takes {longest} characters and it has {len(value)}")
                value = value[:longest].rstrip()
        except Failure as failure:
            _report(plan, failure, scope, given)
            return
        if extra and scope.current is not None:
            value = _like(value, scope.current.get(name))
        scope.put(native, name, value, flat=flat)

    return write


def _like(value: Any, shown: Any) -> Any:
    """A custom field's number goes back as a number where the native side shows one: states hold it as text."""
    if not isinstance(value, str) or isinstance(shown, bool) or not isinstance(shown, int | Decimal):
        return value
    try:
        number = decimal_of(value)
        return int_of(number) if isinstance(shown, int) and number == number.to_integral_value() else number
    except BadValue:
        return value


def _join(plan: Plan) -> Writer:
    chain = writing_chain(plan.steps)

    def write(state: Mapping[str, Any], scope: WriteScope, native: dict[str, Any]) -> None:
        given = get_state(state, plan.parts)
        if given is ABSENT:
            return
        try:
            value = chain(plan.from_state(given), scope.context)
            words: list[Any] = [None] * len(plan.natives)
            if value is not None:
                words = [*text_of(value).split(plan.separator, len(words) - 1), *[""] * len(words)]
        except Failure as failure:
            _report(plan, failure, scope, given)
            return
        for name, word in zip(plan.natives, words, strict=False):
            scope.put(native, name, word)

    return write


def _conditional(plan: Plan, condition: Formula, writer: Writer) -> Writer:
    """Writes only what would be read back: the condition must hold with the written value in place."""

    def write(state: Mapping[str, Any], scope: WriteScope, native: dict[str, Any]) -> None:
        trial = dict(native)
        writer(state, WriteScope(scope.context, [], scope.current, scope.where, scope.outer), trial)
        try:
            holds = condition.holds(scope.row(trial), scope.context.tables)
        except Failure as failure:
            _report(plan, failure, scope, None)
            return
        if holds:
            writer(state, scope, native)

    return write


def _each(plan: Plan) -> Writer:
    writers = make_writers(plan.sub)
    if plan.natives == ("self",):
        return _each_self(plan, writers)
    name = plan.natives[0]
    match = _Matcher(plan)

    def write(state: Mapping[str, Any], scope: WriteScope, native: dict[str, Any]) -> None:
        elements = get_state(state, plan.parts)
        if elements is ABSENT:
            return
        if not isinstance(elements, list | tuple | None):
            _report(plan, BadValue("a list"), scope, elements)
            return
        shown = match.by_key(scope)
        outer = scope.row(native)
        rows = []
        for index, element in enumerate(elements or ()):
            current = shown.get(match.key_of(element))
            where = f"{scope.where}{'.'.join(plan.parts)}[{index}]."
            inner = WriteScope(scope.context, scope.findings, current, where, outer)
            row: dict[str, Any] = {}
            for writer in writers:
                writer(element, inner, row)
            rows.append({**match.untouched(current), **row})
        scope.put(native, name, rows)

    return write


class _Matcher:
    """Finds the native element a canonical one belongs to, so that its unmapped fields stay."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts = tuple(plan.key.split("."))
        self._get = get_native(plan.natives[0])
        self._key = next((make_reader(sub) for sub in plan.sub if sub.parts == self.parts and sub.reads), None)

    def key_of(self, element: Mapping[str, Any]) -> str:
        return str(get_state(element, self.parts))

    def by_key(self, scope: WriteScope) -> dict[str, Native]:
        rows = self._get(scope.current) if scope.current is not None else None
        if self._key is None or not isinstance(rows, list | tuple):
            return {}
        found: dict[str, Native] = {}
        for row in rows:
            if isinstance(row, Mapping):
                element: State = {}
                self._key(row, ReadScope(scope.context, []), element)
                found.setdefault(self.key_of(element), row)
        return found

    def untouched(self, current: Native | None) -> dict[str, Any]:
        if current is None:
            return {}
        frozen, keep = self.plan.frozen, self.plan.keep
        return {name: value for name, value in current.items() if name not in frozen or name in keep}


def _each_self(plan: Plan, writers: tuple[Writer, ...]) -> Writer:
    def write(state: Mapping[str, Any], scope: WriteScope, native: dict[str, Any]) -> None:
        elements = get_state(state, plan.parts)
        if elements is ABSENT or not elements:
            return
        if len(elements) > 1:
            scope.findings.append(
                Finding(
                    "too_many_elements",
                    "error",
                    f"{plan.path} has {len(elements)} elements, the native row holds one.",
                    field=plan.path,
                    value=str(len(elements)),
                    mend=f"Map the list with `each: <native list>` at {plan.rule.place}.",
                )
            )
            return
        where = f"{scope.where}{'.'.join(plan.parts)}[0]."
        inner = WriteScope(scope.context, scope.findings, scope.current, where, scope.outer)
        for writer in writers:
            writer(elements[0], inner, native)

    return write


_KINDS: Mapping[str, Callable[[Plan], Writer]] = {"at": _at, "join": _join, "each": _each}
