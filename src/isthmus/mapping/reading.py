"""Native -> state: one closure per rule, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.mapping.context import LensContext
from isthmus.mapping.failure import BadValue, Failure, FormulaFailed
from isthmus.mapping.formula.compile import Formula
from isthmus.mapping.plain import text_of
from isthmus.mapping.plan import ABSENT, Plan, get_native, put_state
from isthmus.mapping.steps import reading_chain
from isthmus.model.entity import State
from isthmus.model.finding import Finding

Native = Mapping[str, Any]


@dataclass(slots=True)
class ReadScope:
    """Where a reader stands: the record, or one element of a list in it."""

    context: LensContext
    findings: list[Finding]
    where: str = ""
    outer: Native | None = None

    def row(self, data: Native) -> Native:
        """What formulas see: the element's own fields before those of the record around it."""
        return data if self.outer is None else {**self.outer, **data}


Reader = Callable[[Native, ReadScope, State], None]


def make_reader(plan: Plan) -> Reader:
    """The closure that reads one rule."""
    reader = _KINDS[plan.kind](plan)
    return reader if plan.condition is None else _conditional(plan, plan.condition, reader)


def finding_of(plan: Plan, failure: Failure, column: str, value: Any, needs: str = "") -> Finding:
    """The finding of a failure at this rule; masked where the field is personal or secret."""
    if plan.masked and isinstance(failure, FormulaFailed):
        failure = FormulaFailed("a value it reads does not fit (values are not shown here)")
    mend = failure.mend or f"Correct the value at its source, or the rule at {plan.rule.place}."
    return failure.finding(column, value, needs or plan.path, masked=plan.masked, mend=mend)


def _at(plan: Plan) -> Reader:
    name = plan.natives[0]
    get = get_native(name)
    simple = "." not in name
    chain = reading_chain(plan.steps)
    convert = plan.to_state
    default, parts, drop_null = plan.default, plan.parts, plan.drop_null
    target = parts[0] if len(parts) == 1 else None

    def read(data: Native, scope: ReadScope, state: State) -> None:
        value = given = data.get(name, ABSENT) if simple else get(data)
        if value is ABSENT:
            if default is not ABSENT:
                put_state(state, parts, default)
            return
        try:
            if chain is not None and value is not None:
                value = chain(value, scope.context)
            value = convert(value)
        except Failure as failure:
            scope.findings.append(finding_of(plan, failure, scope.where + name, given))
            return
        if target is not None:
            state[target] = value
        elif value is not None or not drop_null:
            put_state(state, parts, value)

    return read


def _constant(plan: Plan) -> Reader:
    value, parts = plan.default, plan.parts
    return lambda data, scope, state: put_state(state, parts, value)


def _join(plan: Plan) -> Reader:
    getters = tuple(get_native(name) for name in plan.natives)
    chain = reading_chain(plan.steps)

    def read(data: Native, scope: ReadScope, state: State) -> None:
        values = [get(data) for get in getters]
        told = [value for value in values if value is not ABSENT]
        if not told:
            if plan.default is not ABSENT:
                put_state(state, plan.parts, plan.default)
            return
        value: Any = None
        try:
            if any(part is not None for part in told):
                value = plan.separator.join(text for part in told if part is not None and (text := text_of(part)))
            if chain is not None and value is not None:
                value = chain(value, scope.context)
            put_state(state, plan.parts, plan.to_state(value))
        except Failure as failure:
            scope.findings.append(finding_of(plan, failure, scope.where + plan.column, value))

    return read


def _formula(plan: Plan) -> Reader:
    formula = plan.formula
    if formula is None:
        raise ValueError(f"{plan.path} has no formula")

    def read(data: Native, scope: ReadScope, state: State) -> None:
        value: Any = None
        try:
            value = formula.value(scope.row(data), scope.context.tables)
            put_state(state, plan.parts, plan.to_state(value))
        except Failure as failure:
            scope.findings.append(finding_of(plan, failure, scope.where + (plan.column or plan.path), value))

    return read


def _conditional(plan: Plan, condition: Formula, reader: Reader) -> Reader:
    def read(data: Native, scope: ReadScope, state: State) -> None:
        try:
            wanted = condition.holds(scope.row(data), scope.context.tables)
        except Failure as failure:
            scope.findings.append(finding_of(plan, failure, scope.where + (plan.column or plan.path), None))
            return
        if wanted:
            reader(data, scope, state)

    return read


def _each(plan: Plan) -> Reader:
    readers = tuple(make_reader(sub) for sub in plan.sub)
    if plan.natives == ("self",):

        def read_self(data: Native, scope: ReadScope, state: State) -> None:
            element: State = {}
            for reader in readers:
                reader(data, scope, element)
            put_state(state, plan.parts, [element])

        return read_self
    name = plan.natives[0]
    get = get_native(name)
    key = tuple(plan.key.split("."))

    def read(data: Native, scope: ReadScope, state: State) -> None:
        rows = get(data)
        if rows is ABSENT:
            return
        if not isinstance(rows, list | tuple | None):
            scope.findings.append(finding_of(plan, BadValue("a list"), scope.where + name, rows))
            return
        outer = scope.row(data)
        elements = []
        for index, row in enumerate(rows or ()):
            where = f"{scope.where}{name}[{index}]"
            if not isinstance(row, Mapping):
                scope.findings.append(finding_of(plan, BadValue("a list of objects"), where, row))
                continue
            element: State = {}
            inner = ReadScope(scope.context, scope.findings, where + ".", outer)
            for reader in readers:
                reader(row, inner, element)
            elements.append(element)
        _check_keys(plan, key, elements, scope, name)
        put_state(state, plan.parts, elements)

    return read


def _check_keys(plan: Plan, key: tuple[str, ...], elements: list[State], scope: ReadScope, name: str) -> None:
    """Elements merge by their key, so two of the same key in one list cannot be told apart."""
    if key == ("",):
        return
    seen: set[str] = set()
    for element in elements:
        value = element.get(key[0])
        text = str(value)
        if value is not None and text in seen:
            scope.findings.append(
                Finding(
                    "duplicate_key",
                    "error",
                    f'{scope.where}{name} holds two elements with {plan.key} "{text}"; lists merge by this key.',
                    field=scope.where + name,
                    value=text,
                    mend=f"Choose another `key:` at {plan.rule.place}, or correct the list at its source.",
                )
            )
        seen.add(text)


_KINDS: Mapping[str, Callable[[Plan], Reader]] = {
    "at": _at,
    "value": _constant,
    "join": _join,
    "formula": _formula,
    "each": _each,
}
