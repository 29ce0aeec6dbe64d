"""Closures of formula parts: what runs, without any tree left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from isthmus.mapping.failure import BadValue, quoted
from isthmus.mapping.formula import values
from isthmus.mapping.formula.functions import Function, check_argument
from isthmus.mapping.formula.values import ANY, BOOL, NULL, NUMBER
from isthmus.mapping.plain import bool_of, date_of, decimal_of, time_of
from isthmus.mapping.tables import LookupTable

Row = Mapping[str, Any]
Tables = Mapping[str, LookupTable]
Run = Callable[[Row, Tables], Any]
_TYPED: Mapping[str, Callable[[Any], Any]] = {
    values.DATE: date_of,
    values.TIME: time_of,
    NUMBER: decimal_of,
    BOOL: bool_of,
}


class Node(NamedTuple):
    """A compiled part: its static type, its closure, and the literal it is, if it is one."""

    type: str
    run: Run
    literal: Any = None


def constant(kind: str, value: Any) -> Node:
    """A literal."""
    return Node(kind, lambda row, tables: value, value)


def pairs(children: list[Any]) -> Iterator[tuple[Any, Any]]:
    """(operator, operand) after the first operand."""
    return zip(children[1::2], children[2::2], strict=True)


def field_reader(name: str, kind: str) -> Run:
    """Reads a field, converted by its declared type; an empty text of another type is null."""
    typed = _TYPED.get(kind)
    path = name.split(".") if "." in name else None

    def run(row: Row, tables: Tables) -> Any:
        value = row.get(name)
        if value is None and path is not None:
            value = _nested(row, path)
        if value is None:
            return None
        try:
            if typed is None:
                return values.plain(value)
            return None if value == "" else typed(value)
        except BadValue as bad:
            raise BadValue(f"{name} holds {quoted(value)}, needed is {bad.expected}") from None

    return run


def _nested(row: Row, path: list[str]) -> Any:
    value: Any = row
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def call_of(function: Function, arguments: tuple[Run, ...]) -> Run:
    """A call with checked arguments; null in, null out unless the function wants to see it."""
    call, name, nulls = function.run, function.name, function.nulls
    wanted = tuple(function.param(index) for index in range(len(arguments)))

    def run(row: Row, tables: Tables) -> Any:
        given = [
            check_argument(name, kind, argument(row, tables)) for kind, argument in zip(wanted, arguments, strict=True)
        ]
        if not nulls and None in given:
            return None
        return call(*given)

    return run


def all_of(parts: tuple[Run, ...]) -> Node:
    """True when all parts are; null counts as false."""
    return Node(BOOL, lambda row, tables: all(values.boolean(part(row, tables)) for part in parts))


def any_of(parts: tuple[Run, ...]) -> Node:
    """True when a part is; null counts as false."""
    return Node(BOOL, lambda row, tables: any(values.boolean(part(row, tables)) for part in parts))


def _if(nodes: list[Node]) -> Node:
    branches = tuple((nodes[i].run, nodes[i + 1].run) for i in range(0, len(nodes) - 1, 2))
    otherwise = nodes[-1] if len(nodes) % 2 else constant(NULL, None)

    def run(row: Row, tables: Tables) -> Any:
        for condition, result in branches:
            if values.boolean(condition(row, tables)):
                return result(row, tables)
        return otherwise.run(row, tables)

    return Node(joined_type([*nodes[1 : len(nodes) - len(nodes) % 2 : 2], otherwise]), run)


def _coalesce(nodes: list[Node]) -> Node:
    parts = tuple(node.run for node in nodes)

    def run(row: Row, tables: Tables) -> Any:
        for part in parts:
            value = part(row, tables)
            if value is not None and value != "":
                return value
        return None

    return Node(joined_type(nodes), run)


def _not(nodes: list[Node]) -> Node:
    run = nodes[0].run

    def negate(row: Row, tables: Tables) -> Any:
        value = run(row, tables)
        return None if value is None else not values.boolean(value)

    return Node(BOOL, negate)


LAZY: Mapping[str, Callable[[list[Node]], Node]] = {
    "if": _if,
    "and": lambda nodes: all_of(tuple(node.run for node in nodes)),
    "or": lambda nodes: any_of(tuple(node.run for node in nodes)),
    "not": _not,
    "coalesce": _coalesce,
}


def joined_type(nodes: list[Node]) -> str:
    """The type all parts share, else any."""
    kinds = {node.type for node in nodes} - {NULL}
    return kinds.pop() if len(kinds) == 1 else NULL if not kinds else ANY
