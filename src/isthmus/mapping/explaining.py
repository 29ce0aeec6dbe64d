"""The trace of one record through a lens, for people: every value, every step, every rule with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from isthmus.mapping.context import LensContext
from isthmus.mapping.failure import Failure, show
from isthmus.mapping.plan import ABSENT, MASK, Plan, get_native, get_state
from isthmus.mapping.reading import ReadScope, make_reader
from isthmus.model.entity import State
from isthmus.model.finding import Finding


class Trace(Struct, frozen=True):
    """How one canonical field came about.

    path      canonical path, `lines[2].amount`
    source    native field or fields, formula text, or `constant`
    native    native value as text, masked where personal or secret; None = the field is absent
    steps     (step, value after it) in order, masked likewise
    result    canonical value as text; None = absent from the state
    place     file and line of the rule
    rule      the transformation in words
    findings  what was wrong
    """

    path: str
    source: str
    native: str | None
    steps: tuple[tuple[str, str], ...]
    result: str | None
    place: str
    rule: str
    findings: tuple[Finding, ...] = ()


def explain(plans: tuple[Plan, ...], data: Mapping[str, Any], context: LensContext) -> tuple[Trace, ...]:
    """Traces of all reading rules, list elements included."""
    return tuple(_traces(plans, data, ReadScope(context, []), ""))


def _traces(plans: tuple[Plan, ...], data: Mapping[str, Any], scope: ReadScope, prefix: str) -> Iterator[Trace]:
    for plan in plans:
        if not plan.reads:
            continue
        yield _trace(plan, data, scope, prefix)
        if plan.kind == "each":
            yield from _elements(plan, data, scope, f"{prefix}{'.'.join(plan.parts)}")


def _elements(plan: Plan, data: Mapping[str, Any], scope: ReadScope, path: str) -> Iterator[Trace]:
    if plan.natives == ("self",):
        yield from _traces(plan.sub, data, scope, f"{path}[0].")
        return
    name = plan.natives[0]
    rows = get_native(name)(data)
    for index, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
        if isinstance(row, Mapping):
            inner = ReadScope(scope.context, [], f"{scope.where}{name}[{index}].", scope.row(data))
            yield from _traces(plan.sub, row, inner, f"{path}[{index}].")


def _trace(plan: Plan, data: Mapping[str, Any], scope: ReadScope, prefix: str) -> Trace:
    findings: list[Finding] = []
    state: State = {}
    make_reader(plan)(data, ReadScope(scope.context, findings, scope.where, scope.outer), state)
    result = get_state(state, plan.parts)
    values = [get_native(name)(data) for name in plan.natives if name != "self"]
    told = [value for value in values if value is not ABSENT]
    own = tuple(findings) if plan.kind != "each" else tuple(f for f in findings if "]." not in f.field)
    return Trace(
        path=prefix + ".".join(plan.parts),
        source=source_of(plan),
        native=_masked(plan, plan.separator.join(_text(value) for value in told)) if told else None,
        steps=tuple((label, _masked(plan, text)) for label, text in _steps(plan, values, scope.context)),
        result=None if result is ABSENT else _masked(plan, _text(result)),
        place=plan.rule.place,
        rule=transformation(plan),
        findings=own,
    )


def _steps(plan: Plan, values: list[Any], context: LensContext) -> Iterator[tuple[str, str]]:
    if plan.kind not in {"at", "join"} or not values or values[0] is ABSENT:
        return
    value = values[0]
    if plan.kind == "join":
        value = plan.separator.join(show(part) for part in values if part is not ABSENT and show(part))
        yield "join", value
    for step in plan.steps:
        if value is None:
            return
        try:
            value = step.read(value, context)
        except Failure as failure:
            yield step.label, f"failed: needs {failure.expected}" if not plan.masked else "failed"
            return
        yield step.label, _text(value)


def _masked(plan: Plan, text: str) -> str:
    return MASK if plan.masked and text not in {"", "null"} else text


def _text(value: Any) -> str:
    return "null" if value is None else show(value)


def source_of(plan: Plan) -> str:
    """Where the value comes from, for people."""
    if plan.kind == "formula" and plan.formula is not None:
        return f"formula: {plan.formula.text}"
    if plan.kind == "value":
        return "constant"
    if plan.natives == ("self",):
        return "the row itself"
    return " + ".join(plan.natives)


def transformation(plan: Plan) -> str:
    """What happens to the value on the way, in words."""
    parts = [step.label for step in plan.steps]
    if plan.kind == "value":
        parts.append(f"always {_text(plan.default)}")
    elif plan.default is not ABSENT:
        parts.append(f"default {_text(plan.default)}")
    if plan.kind == "join":
        parts.insert(0, f'joined with "{plan.separator}"')
    if plan.kind == "each":
        parts.append(f"one element each, key {plan.key}" if plan.key else "one element")
    if plan.formula is not None:
        parts.append(plan.formula.text)
    if plan.condition is not None:
        parts.append(f"when {plan.condition.text}")
    if plan.cut and plan.longest is not None:
        parts.append(f"cut to {plan.longest}")
    return ", ".join(parts) or "as it is"
