"""Tree to closures, with static types. One pass, no interpretation at run time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import DecimalException
from typing import Any

from lark import Token, Tree

from isthmus.mapping.failure import BadValue, FormulaFailed
from isthmus.mapping.formula import values
from isthmus.mapping.formula.functions import FUNCTIONS, Function, accepts
from isthmus.mapping.formula.nodes import (
    LAZY,
    Node,
    Row,
    Tables,
    all_of,
    any_of,
    call_of,
    constant,
    field_reader,
    joined_type,
    pairs,
)
from isthmus.mapping.formula.syntax import FormulaProblem, column_of, parse
from isthmus.mapping.formula.values import ANY, BOOL, FIELD_TYPES, NULL, NUMBER, TEXT
from isthmus.mapping.plain import decimal_of
from isthmus.mapping.problems import did_you_mean
from isthmus.model.finding import Finding

_NODE = Tree[Token] | Token


class Formula:
    """A compiled formula. Immutable, safe to share.

    text     as written
    type     static type of the result: text, number, bool, date, time, null or any
    fields   names of the fields it reads, in order of appearance
    tables   lookup tables it names
    """

    def __init__(self, text: str, node: Node, fields: tuple[str, ...], tables: tuple[str, ...]) -> None:
        self.text = text
        self.type = node.type
        self.fields = fields
        self.tables = tables
        self._run = node.run

    def value(self, row: Row, tables: Tables) -> Any:
        """The result. Raises FormulaFailed (mapping internal) and nothing else."""
        try:
            return self._run(row, tables)
        except BadValue as bad:
            raise FormulaFailed(bad.expected, mend=bad.mend) from None
        except (DecimalException, ArithmeticError):
            raise FormulaFailed("the result has more than 40 digits") from None

    def evaluate(self, row: Row, tables: Tables | None = None, *, name: str = "formula") -> Any:
        """The result (None, str, bool, Decimal, date, datetime) or a Finding that tells why there is none."""
        try:
            return self.value(row, tables or {})
        except FormulaFailed as failed:
            return self.finding(failed, name)

    def holds(self, row: Row, tables: Tables) -> bool:
        """Whether the condition is true; null counts as false. Raises FormulaFailed."""
        result = self.value(row, tables)
        if result is None or isinstance(result, bool):
            return bool(result)
        raise FormulaFailed(f"true or false is needed, it gives {values.described(result)}")

    def finding(self, failed: FormulaFailed, name: str) -> Finding:
        """The finding of a failed calculation."""
        return failed.finding(", ".join(self.fields), None, name, masked=True, mend=failed.mend)


def compile_formula(
    text: str,
    *,
    fields: Mapping[str, str] | None = None,
    tables: Collection[str] | None = None,
    expect: str = ANY,
) -> Formula:
    """Compile a formula.

    Args:
        fields: known fields with their types (text, decimal, int, bool, date, time, enum, any); None = not known.
        tables: names of the known lookup tables; None = not known.
        expect: type the result must have.

    Raises FormulaProblem with column and suggestion.
    """
    compiler = _Compiler(fields, tables)
    tree = parse(text)
    node = compiler.node(tree)
    if not accepts(expect, node.type):
        raise FormulaProblem(
            f"the formula gives {values.A.get(node.type, node.type)}, but {values.A.get(expect, expect)} is needed",
            column=1,
            suggestion=_conversion(node.type, expect),
        )
    return Formula(text, node, tuple(dict.fromkeys(compiler.used)), tuple(dict.fromkeys(compiler.looked_up)))


def _conversion(kind: str, wanted: str) -> str:
    if wanted == NUMBER and kind == TEXT:
        return "Use value(x) to read a number from text."
    if wanted == TEXT and kind != NULL:
        return "Use text(x)."
    if wanted == values.DATE and kind == TEXT:
        return 'Use date(x) for texts such as "2026-01-31".'
    return ""


class _Compiler:
    def __init__(self, fields: Mapping[str, str] | None, tables: Collection[str] | None) -> None:
        self.fields = fields
        self.tables = tables
        self.used: list[str] = []
        self.looked_up: list[str] = []

    def node(self, tree: _NODE) -> Node:
        if isinstance(tree, Token):
            raise FormulaProblem(f'"{tree}" cannot stand here', column=column_of(tree))
        build: Callable[[Tree[Token]], Node] = getattr(self, f"_{tree.data}")
        return build(tree)

    def _number(self, tree: Tree[Token]) -> Node:
        return constant(NUMBER, decimal_of(str(tree.children[0])))

    def _text(self, tree: Tree[Token]) -> Node:
        return constant(TEXT, str(tree.children[0])[1:-1].replace('""', '"'))

    def _true(self, _: Tree[Token]) -> Node:
        return constant(BOOL, True)

    def _false(self, _: Tree[Token]) -> Node:
        return constant(BOOL, False)

    def _null(self, _: Tree[Token]) -> Node:
        return constant(NULL, None)

    def _field(self, tree: Tree[Token]) -> Node:
        name = str(tree.children[0])
        if name.startswith("["):
            name = name[1:-1]
        if self.fields is None:
            kind = ANY
        elif name in self.fields:
            kind = FIELD_TYPES.get(self.fields[name], ANY)
        elif (first := name.split(".")[0]) in self.fields and self.fields[first] in {"struct", "any", "map"}:
            kind = ANY
        else:
            message = f'there is no field "{name}"'
            suggestion = did_you_mean(name, self.fields)
            if name.lower() in FUNCTIONS:
                suggestion = f"{name} is a function: write {name}(...)."
            raise FormulaProblem(message, column=column_of(tree), suggestion=suggestion)
        self.used.append(name)
        return Node(kind, field_reader(name, kind))

    def _negative(self, tree: Tree[Token]) -> Node:
        operand = self._of_type(tree.children[0], NUMBER, "-")
        run = operand.run

        def negate(row: Row, tables: Tables) -> Any:
            value = run(row, tables)
            return None if value is None else values.NUMBERS.minus(values.number(value))

        return Node(NUMBER, negate)

    def _negation(self, tree: Tree[Token]) -> Node:
        run = self._of_type(tree.children[-1], BOOL, "not").run

        def negate(row: Row, tables: Tables) -> Any:
            value = run(row, tables)
            return None if value is None else not values.boolean(value)

        return Node(BOOL, negate)

    def _sum(self, tree: Tree[Token]) -> Node:
        return self._arithmetic(tree)

    def _product(self, tree: Tree[Token]) -> Node:
        return self._arithmetic(tree)

    def _arithmetic(self, tree: Tree[Token]) -> Node:
        first = self._of_type(tree.children[0], NUMBER, str(tree.children[1])).run
        rest = tuple(
            (str(sign), self._of_type(operand, NUMBER, str(sign)).run) for sign, operand in pairs(tree.children)
        )

        def run(row: Row, tables: Tables) -> Any:
            result = first(row, tables)
            if result is not None:
                values.number(result)
            for sign, operand in rest:
                result = values.arithmetic(sign, result, operand(row, tables))
            return result

        return Node(NUMBER, run)

    def _joined(self, tree: Tree[Token]) -> Node:
        parts = tuple(self.node(child).run for child in tree.children[::2])

        def run(row: Row, tables: Tables) -> Any:
            return values.bounded("".join([values.text(part(row, tables)) for part in parts]))

        return Node(TEXT, run)

    def _comparison(self, tree: Tree[Token]) -> Node:
        left, sign, right = self.node(tree.children[0]), str(tree.children[1]), self.node(tree.children[2])
        kinds = {left.type, right.type} - {ANY, NULL}
        if len(kinds) > 1:
            raise FormulaProblem(
                f"{values.A[left.type]} cannot be compared with {values.A[right.type]}",
                column=column_of(tree),
                suggestion=_conversion(TEXT, NUMBER if NUMBER in kinds else values.DATE) if TEXT in kinds else "",
            )
        compare, one, two = values.compare, left.run, right.run
        return Node(BOOL, lambda row, tables: compare(sign, one(row, tables), two(row, tables)))

    def _conjunction(self, tree: Tree[Token]) -> Node:
        return all_of(tuple(self._of_type(child, BOOL, "and").run for child in tree.children[::2]))

    def _disjunction(self, tree: Tree[Token]) -> Node:
        return any_of(tuple(self._of_type(child, BOOL, "or").run for child in tree.children[::2]))

    def _of_type(self, tree: _NODE, wanted: str, sign: str) -> Node:
        node = self.node(tree)
        if not accepts(wanted, node.type):
            raise FormulaProblem(
                f"{sign} needs {values.A[wanted]}, here stands {values.A[node.type]}",
                column=column_of(tree),
                suggestion=_conversion(node.type, wanted),
            )
        return node

    def _call(self, tree: Tree[Token]) -> Node:
        name = str(tree.children[0]).lower()
        function = FUNCTIONS.get(name)
        if function is None:
            message = f'there is no function "{tree.children[0]}"'
            raise FormulaProblem(message, column=column_of(tree), suggestion=did_you_mean(name, FUNCTIONS))
        arguments = tree.children[1:]
        if not function.least <= len(arguments) <= function.most:
            wanted = f"{function.least}" if function.least == function.most else f"at least {function.least}"
            if function.least != function.most and not function.repeat:
                wanted = f"{function.least} to {function.most}"
            message = f"{name}() takes {wanted} arguments, here stand {len(arguments)}"
            raise FormulaProblem(message, column=column_of(tree))
        nodes = [self._argument(function, index, child, len(arguments)) for index, child in enumerate(arguments)]
        if name == "lookup":
            return self._lookup(nodes, tree)
        if name in LAZY:
            return LAZY[name](nodes)
        kind = joined_type(nodes[:1] if name == "adddays" else nodes) if function.result == "same" else function.result
        return Node(kind, call_of(function, tuple(node.run for node in nodes)))

    def _argument(self, function: Function, index: int, tree: _NODE, count: int) -> Node:
        node = self.node(tree)
        wanted = function.param(index)
        if function.name == "if":  # condition, result, condition, result ... otherwise
            wanted = BOOL if index % 2 == 0 and index + 1 < count else ANY
        if accepts(wanted, node.type):
            return node
        raise FormulaProblem(
            f"argument {index + 1} of {function.name}() must be {values.A.get(wanted, 'a ' + wanted)}, "
            f"here stands {values.A[node.type]}",
            column=column_of(tree),
            suggestion=_conversion(node.type, wanted),
        )

    def _lookup(self, nodes: list[Node], tree: Tree[Token]) -> Node:
        name = nodes[0].literal
        if not isinstance(name, str):
            message = 'the first argument of lookup() is the name of a table in quotes: lookup("table", key)'
            raise FormulaProblem(message, column=column_of(tree.children[1]))
        if self.tables is not None and name not in self.tables:
            message = f'there is no lookup table "{name}"'
            raise FormulaProblem(
                message, column=column_of(tree.children[1]), suggestion=did_you_mean(name, self.tables)
            )
        self.looked_up.append(name)
        key, otherwise = nodes[1].run, nodes[2].run if len(nodes) > 2 else None

        def run(row: Row, tables: Tables) -> Any:
            value = key(row, tables)
            if value is None:
                return None if otherwise is None else otherwise(row, tables)
            table = tables.get(name)
            if table is None:
                raise BadValue(f"there is no lookup table {name}", mend=f"Create lookup table {name}.")
            found = table.get(value)
            if found is not None:
                return found
            if otherwise is not None:
                return otherwise(row, tables)
            raise BadValue(
                f'lookup table {name} has no row for "{values.text(value)}"',
                mend=f'Add a row "{values.text(value)}" to lookup table {name}.',
            )

        return Node(TEXT if len(nodes) == 2 else joined_type([constant(TEXT, ""), nodes[2]]), run)
