"""Formulas never raise, never loop, never give a float; and the list of functions is what the documentation says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.mapping.failure import BadValue
from isthmus.mapping.formula.compile import Formula, compile_formula
from isthmus.mapping.formula.functions import FUNCTIONS
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.mapping.plain import decimal_of
from isthmus.mapping.tables import LookupTable
from isthmus.model.finding import Finding

TABLES = {"t": LookupTable("t", {"a": "1", "b": "2"})}
DOCS = Path(__file__).parents[3] / "docs" / "formulas.md"

LEAVES = st.sampled_from(
    [
        "a",
        "b",
        "[c d]",
        "o.p",
        "1",
        "0",
        "2.5",
        '"a"',
        '"2026-01-31"',
        '""',
        "true",
        "false",
        "null",
        "-3",
        "999999999999",
    ]
)


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    name = st.sampled_from(sorted(FUNCTIONS))
    call = st.builds(lambda name, args: f"{name}({', '.join(args)})", name, st.lists(inner, min_size=1, max_size=3))
    sign = st.sampled_from(["+", "-", "*", "/", "&", "=", "<>", "<", "<=", ">", ">=", "and", "or"])
    binary = st.builds(lambda left, sign, right: f"({left} {sign} {right})", inner, sign, inner)
    return call | binary | inner.map(lambda x: f"not ({x})") | inner.map(lambda x: f"-({x})")


FORMULAS = st.recursive(LEAVES, _calls, max_leaves=8)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(max_size=6),
    st.sampled_from(["1.5", "2026-01-31", "a"]),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["p"]), st.integers(), max_size=1),
)
ROWS = st.dictionaries(st.sampled_from(["a", "b", "c d", "o", "o.p"]), VALUES)


def _compiled(text: str) -> Formula | FormulaProblem:
    try:
        return compile_formula(text, tables=TABLES)
    except FormulaProblem as problem:
        return problem


@settings(max_examples=1000, deadline=None)
@given(FORMULAS, ROWS)
def test_a_formula_gives_a_value_or_a_finding(text: str, row: dict[str, Any]) -> None:
    formula = _compiled(text)
    if isinstance(formula, FormulaProblem):
        assert 1 <= formula.column <= len(text) + 1
        return
    result = formula.evaluate(row, TABLES)
    if isinstance(result, Finding):
        assert result.text
        return
    assert result is None or type(result) in {str, bool, Decimal, date, datetime}
    if isinstance(result, Decimal):
        assert result.is_finite()


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.text('ab1."()+-*/&=<>[], ifandornotlen', max_size=40))
def test_any_text_compiles_or_is_explained(text: str) -> None:
    outcome = _compiled(text)
    assert isinstance(outcome, Formula) or (outcome.message and outcome.column >= 1)


@settings(max_examples=300, deadline=None)
@given(FORMULAS, ROWS)
def test_a_static_type_is_kept(text: str, row: dict[str, Any]) -> None:
    formula = _compiled(text)
    if isinstance(formula, FormulaProblem):
        return
    result = formula.evaluate(row, TABLES)
    if result is None or isinstance(result, Finding) or formula.type in {"any"}:
        return
    kinds = {"text": str, "number": Decimal, "bool": bool, "date": date, "time": datetime}
    assert type(result) is kinds[formula.type]


@settings(max_examples=300, deadline=None)
@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=4))
def test_arithmetic_is_decimal_arithmetic(left: Decimal, right: Decimal) -> None:
    row = {"a": left, "b": right}
    assert compile_formula("a + b").evaluate(row) == left + right
    assert compile_formula("a - b").evaluate(row) == left - right
    assert compile_formula("a * b").evaluate(row) == left * right
    assert compile_formula("(a = b) or (a < b) or (a > b)").evaluate(row) is True


def _documented() -> list[tuple[str, str, str]]:
    """(name, example, result) of every row of the function table."""
    if not DOCS.exists():
        return []
    row = re.compile(r"^\| `(\w+)\([^|]*\| [^|]* \| `([^`]+)` → `([^`]+)` \|", re.MULTILINE)
    return row.findall(DOCS.read_text(encoding="utf-8").replace("\\|", "∣"))


def test_the_list_of_functions_is_frozen_and_documented() -> None:
    assert [name for name, _, _ in _documented()] == list(FUNCTIONS)
    assert len(FUNCTIONS) == 31


@pytest.mark.parametrize(("name", "example", "result"), _documented(), ids=lambda value: str(value)[:20])
def test_documented_examples_are_true(name: str, example: str, result: str) -> None:
    table = {"cost_centre": LookupTable("cost_centre", {"EX-01": "100"})}
    got = compile_formula(example, tables=table).evaluate({}, table)
    assert name in example
    assert got == compile_formula(result).evaluate({}), f"{example} gives {got!r}"


def test_a_number_too_big_to_write_is_refused() -> None:
    with pytest.raises(BadValue):
        decimal_of(Decimal("1E+41"))
