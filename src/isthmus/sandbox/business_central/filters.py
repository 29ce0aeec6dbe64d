"""`$filter`: the subset Business Central takes and its refusals (bc.md section 4)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind
from isthmus.sandbox.business_central.tables import Values

Test = Callable[[Values], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_@][\w./]*)"
    r"|(?P<mark>[(),:]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_CHANGES = ("tolower", "toupper", "substring")
_DISTINCT_OR = "The 'OR' operator is not supported on distinct fields on an OData filter."


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter. `fields` are those it names; each of `equal` says which values of which field a row
    must have for the
    whole to be true, so that an index can be used."""

    test: Test
    fields: frozenset[str]
    equal: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    #: entryNumber gt n and the like: (field, exclusive lower bound).
    above: tuple[str, Any] | None = None
    #: The test is nothing but membership in `equal`, so two of them join without nesting.
    exact: bool = False


@dataclass(frozen=True, slots=True)
class _Operand:
    field: Field
    value: Callable[[Values], Any]
    plain: bool


def parse(text: str, fields: dict[str, Field], entity: str, *, newest: bool) -> Filter:
    """Compile `$filter`. `newest`: the call asked for `$schemaversion=2.1`. Raises Refusal."""
    reader = _Reader(text, fields, entity, newest)
    found = reader.alternatives()
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str, fields: dict[str, Field], entity: str, newest: bool) -> None:
        self.fields, self.entity, self.newest = fields, entity, newest
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise errors.bad_syntax()
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            at = match.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, text: str) -> bool:
        if self.peek()[1] == text and self.peek()[0] in {"name", "mark"}:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise errors.bad_syntax()

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise errors.bad_syntax()

    def alternatives(self) -> Filter:
        found = self.conjunction()
        while self.accept("or"):
            found = _either(found, self.conjunction())
        return found

    def conjunction(self) -> Filter:
        found = self.condition()
        while self.accept("and"):
            found = _both(found, self.condition())
        return found

    def condition(self) -> Filter:
        if self.accept("("):
            found = self.alternatives()
            self.expect(")")
            return found
        kind, name = self.peek()
        if kind != "name" or name == "not":
            raise errors.bad_syntax()
        if name in _TESTS:
            return self.text_test()
        if name.endswith(("/any", "/all")):
            return self.ignored_lambda()
        operand = self.operand()
        if self.accept("in"):
            return self.membership(operand)
        compare = self.take()[1]
        if compare not in _COMPARE:
            raise errors.bad_syntax()
        return self.comparison(operand, compare)

    def comparison(self, operand: _Operand, compare: str) -> Filter:
        check, constant, value = _COMPARE[compare], self.literal(operand.field), operand.value
        name = operand.field.name
        known = frozenset({name})
        if not operand.plain:
            return Filter(lambda row: check(value(row), constant), known)
        equal = ((name, (constant,)),) if compare == "eq" else ()
        above = (name, constant) if compare == "gt" else None
        return Filter(lambda row: check(row[name], constant), known, equal, above, exact=bool(equal))

    def membership(self, operand: _Operand) -> Filter:
        if not self.newest:
            raise errors.bad_syntax()
        self.expect("(")
        values = [self.literal(operand.field)]
        while self.accept(","):
            values.append(self.literal(operand.field))
        self.expect(")")
        return _one_of(operand.field.name, tuple(values))

    def text_test(self) -> Filter:
        check = _TESTS[self.take()[1]]
        self.expect("(")
        operand = self.operand()
        if not operand.plain and not self.newest:
            raise errors.bad_syntax()
        self.expect(",")
        constant, value = self.literal(operand.field), operand.value
        self.expect(")")
        return Filter(lambda row: check(value(row), constant), frozenset({operand.field.name}))

    def operand(self) -> _Operand:
        name = self.take()[1]
        if name not in _CHANGES:
            field = self.fields.get(name)
            if field is None:
                text = f"Could not find a property named '{name}' on type 'Microsoft.NAV.{self.entity}'."
                raise errors.bad_request(text)
            return _Operand(field, operator.itemgetter(field.name), plain=True)
        self.expect("(")
        inner = self.operand()
        if not inner.plain and not self.newest:
            raise errors.bad_syntax()
        numbers = []
        while self.accept(","):
            numbers.append(int(self.take()[1]))
        self.expect(")")
        return _Operand(inner.field, _changed(name, inner.value, numbers), plain=False)

    def literal(self, field: Field) -> Any:
        kind, text = self.take()
        if kind == "name" and text == "null":
            return field.blank()
        try:
            return literal_of(field, kind, text)
        except (ValueError, ArithmeticError):
            text = f"A binary operator with incompatible types was detected. Property: {field.name}"
            raise errors.bad_request(text) from None

    def ignored_lambda(self) -> Filter:
        """any/all are silently ignored (bc.md section 4)."""
        self.take()
        self.expect("(")
        depth = 1
        while depth:
            kind, text = self.take()
            if kind == "end":
                raise errors.bad_syntax()
            depth += {"(": 1, ")": -1}.get(text, 0) if kind == "mark" else 0
        return Filter(lambda _: True, frozenset())


def literal_of(field: Field, kind: str, text: str) -> Any:
    """What a literal of an address means for a property; `kind` is that of the token, text with its quotes. Raises
    ValueError or ArithmeticError for one of another type.
    """
    wanted = {
        Kind.GUID: ("guid",),
        Kind.DATE: ("date",),
        Kind.TIME: ("time", "date"),
        Kind.DECIMAL: ("number",),
        Kind.INT: ("number",),
        Kind.BOOL: ("name",),
    }.get(field.kind, ("text",))
    if kind not in wanted:
        raise ValueError(kind)
    if kind == "text":
        plain = text[1:-1].replace("''", "'")
        return plain.upper() if field.kind is Kind.CODE else plain
    if field.kind is Kind.BOOL:
        return {"true": True, "false": False}[text] if text in {"true", "false"} else _no(text)
    if field.kind in {Kind.DECIMAL, Kind.INT}:
        return Decimal(text)
    if field.kind is Kind.TIME and kind == "date":
        text += "T00:00:00Z"
    return field.read(text) if text != NO_GUID else text


def _no(text: str) -> bool:
    raise ValueError(text)


def _changed(name: str, value: Callable[[Values], Any], numbers: list[int]) -> Callable[[Values], Any]:
    if name == "substring":
        start = numbers[0] if numbers else 0
        stop = start + numbers[1] if len(numbers) > 1 else None
        return lambda row: str(value(row))[start:stop]
    change = str.lower if name == "tolower" else str.upper
    return lambda row: change(str(value(row)))


def _both(left: Filter, right: Filter) -> Filter:
    one, two = left.test, right.test
    return Filter(
        lambda row: one(row) and two(row),
        left.fields | right.fields,
        left.equal + right.equal,
        left.above or right.above,
    )


def _either(left: Filter, right: Filter) -> Filter:
    if len(left.fields | right.fields) > 1:
        raise errors.bad_request(_DISTINCT_OR)
    if left.exact and right.exact:
        (name, values), (_, more) = left.equal[0], right.equal[0]
        return _one_of(name, values + more)
    one, two = left.test, right.test
    return Filter(lambda row: one(row) or two(row), left.fields | right.fields)


def _one_of(name: str, values: tuple[Any, ...]) -> Filter:
    wanted = frozenset(values)
    return Filter(lambda row: row[name] in wanted, frozenset({name}), ((name, values),), exact=True)
