"""The formula language by example: values, types, blanks, and errors with column and remedy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from isthmus.mapping.formula.compile import compile_formula
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.mapping.tables import LookupTable
from isthmus.model.finding import Finding

ROW = {
    "country": "US",
    "Cost Centre": "100",
    "amount": Decimal("12.50"),
    "text amount": "12.50",
    "count": 3,
    "paid": True,
    "day": date(2026, 1, 31),
    "moment": datetime(2026, 1, 31, 8, tzinfo=UTC),
    "nothing": None,
    "empty": "",
    "object": {"city": "Bern"},
}
TABLES = {"centres": LookupTable("centres", {"100": "MAINT", "3": "three"})}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", Decimal("6.5")),
        ("(1 + 2) * -count", Decimal(-9)),
        ("0.1 + 0.2 = 0.3", True),
        ('"a" & 1.50 & true & day', "a1.5true2026-01-31"),
        ('"say ""hi"""', 'say "hi"'),
        ("[Cost Centre] & country", "100US"),
        ("object.city", "Bern"),
        ("amount > 12 and not paid = false or 1 = 2", True),
        ("AND(paid, count = 3)", True),
        ("Not paid", False),
        ("day < date(2026, 2, 1)", True),
        ('if(count > 5, "many", count > 2, "some", "few")', "some"),
        ("if(count > 5, 1)", None),
        ('if(true, 1, "never " & 1 / 0)', Decimal(1)),
        ('coalesce(nothing, empty, country)', "US"),
        ('lookup("centres", [Cost Centre])', "MAINT"),
        ('lookup("centres", count)', "three"),
        ('lookup("centres", "?", "none")', "none"),
        ('lookup("centres", nothing)', None),
        ("value([text amount]) * 2", Decimal("25.00")),
        ("adddays(day, 1)", date(2026, 2, 1)),
        ("adddays(moment, -31)", datetime(2025, 12, 31, 8, tzinfo=UTC)),
        ("max(day, date(\"2025-01-01\"))", date(2026, 1, 31)),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    result = compile_formula(text).evaluate(ROW, TABLES)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nothing + 1", None),
        ("-nothing", None),
        ("nothing < 1", None),
        ("nothing = null", True),
        ('nothing = ""', False),
        ('empty = ""', True),
        ("empty = null", False),
        ("not nothing", None),
        ("nothing and true", False),
        ("nothing or true", True),
        ('if(nothing, "a", "b")', "b"),
        ('"x" & nothing', "x"),
        ("left(nothing, 2)", None),
        ("isblank(nothing) and isblank(empty) and isblank(\"  \")", True),
        ("missing", None),
        ("min(nothing, 2)", Decimal(2)),
        ("min(nothing)", None),
        ('value("")', None),
    ],
)  # fmt: skip
def test_blanks(text: str, value: Any) -> None:
    assert compile_formula(text).evaluate(ROW, TABLES) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "division by zero"),
        ("amount / (count - 3)", "division by zero"),
        ("[text amount] * 2", "use value()"),
        ("[text amount] > 2", "use value()"),
        ("country = paid", "cannot be compared"),
        ("if(country, 1, 2)", "true or false is needed"),
        ("len(count)", "len() needs a text"),
        ('value("1,5")', "a number with a decimal point"),
        ('date("2026-02-30")', "there is no day 2026-02-30"),
        ("date(2026, 13, 1)", "whole number from 1 to 12"),
        ("left(country, -1)", "whole number from 0"),
        ("left(country, 0.5)", "whole number from 0"),
        ("object & 1", "a text, number, bool, date or time"),
        ('lookup("centres", country)', 'no row for "US"'),
        ('lookup("other", country)', "there is no lookup table other"),
        ("adddays(day, -999999)", "leaves the calendar"),
        ("9999999999999999999999999 * 9999999999999999999999999", "more than 40 digits"),
        ("min(day, 1)", "numbers only, dates only"),
        ('text(country, 2)', "text(number, places)"),
    ],
)  # fmt: skip
def test_what_cannot_be_calculated_is_a_finding(text: str, said: str) -> None:
    result = compile_formula(text).evaluate(ROW, TABLES, name="tax_class")
    assert isinstance(result, Finding)
    assert (result.code, result.severity) == ("formula_failed", "error")
    assert "tax_class" in result.text
    assert said in result.text


def test_texts_cannot_grow_without_limit() -> None:
    text = "country"
    for _ in range(20):
        text = f'replace({text}, "U", "UUUUUUUUUU")'
    result = compile_formula(text).evaluate(ROW)
    assert isinstance(result, Finding)
    assert "32767" in result.text


FIELDS = {
    "country": "text",
    "amount": "decimal",
    "count": "int",
    "day": "date",
    "moment": "time",
    "paid": "bool",
    "x": "any",
}


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("contry = 1", 1, 'there is no field "contry" Did you mean "country"?'),
        ("1 + upper", 5, "upper is a function: write upper(...)."),
        ("uper(country)", 1, 'there is no function "uper" Did you mean "upper"?'),
        ("left(country)", 1, "left() takes 2 arguments, here stand 1"),
        ("round(1, 2, 3)", 1, "round() takes 1 to 2 arguments, here stand 3"),
        ("if(paid)", 1, "if() takes at least 2 arguments"),
        ("country + 1", 1, "+ needs a number, here stands a text Use value(x)"),
        ("1 + (country & 1)", 6, "+ needs a number, here stands a text"),
        ("country = amount", 1, "a text cannot be compared with a number Use value(x)"),
        ('day > "2026-01-01"', 1, "Use date(x)"),
        ("amount and paid", 1, "and needs true or false, here stands a number"),
        ("not amount", 5, "not needs true or false"),
        ("if(amount, 1, 2)", 4, "argument 1 of if() must be true or false"),
        ("len(amount)", 5, "argument 1 of len() must be a text, here stands a number Use text(x)."),
        ("year(country)", 6, "argument 1 of year() must be a date or time"),
        ('lookup("cntres", x)', 8, 'there is no lookup table "cntres" Did you mean "centres"?'),
        ("lookup(country, x)", 8, "name of a table in quotes"),
        ("paid == true", 7, "Equality is written =."),
        ("paid != true", 6, "Inequality is written <>."),
        ("paid && true", 7, "Write and."),
        ("country = 'US'", 11, "Texts stand in double quotes"),
        ('country = "US', 11, "no closing quote"),
        ("left(country; 2)", 13, "separated by commas"),
        ("(1 + 2", 7, "the end stands where a closing parenthesis"),
        ("1 +", 4, "the end stands where a field, function or value is expected"),
        ("1 2", 3, '"2" stands where an operator or the end'),
        ("1 < 2 < 3", 7, '"<" stands where'),
        ("[amount", 1, "ends with ]"),
        ("1.5.2", 1, "stands where"),
        ("5%", 2, "divide by 100"),
        ("", 1, "empty"),
        ("(" * 60 + "1" + ")" * 60 + " + " + "-" * 60 + "1", 185, "nests deeper than 40"),
        ("1 + " * 600 + "1", 2001, "at most 2000"),
    ],
)  # fmt: skip
def test_errors_give_column_and_remedy(text: str, column: int, said: str) -> None:
    with pytest.raises(FormulaProblem) as caught:
        compile_formula(text, fields=FIELDS, tables=TABLES)
    assert caught.value.column == column, str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("amount * 2", "number"),
        ("amount & 2", "text"),
        ("amount > 2", "bool"),
        ("day", "date"),
        ("adddays(moment, 1)", "time"),
        ('if(paid, "a", "b")', "text"),
        ('if(paid, "a", 1)', "any"),
        ("if(paid, 1, null)", "number"),
        ("coalesce(x, 1)", "any"),
        ('lookup("centres", x)', "text"),
        ("null", "null"),
    ],
)
def test_types_are_known_before_anything_runs(text: str, kind: str) -> None:
    assert compile_formula(text, fields=FIELDS, tables=TABLES).type == kind


def test_a_condition_must_give_true_or_false() -> None:
    with pytest.raises(FormulaProblem, match="true or false is needed"):
        compile_formula("amount + 1", fields=FIELDS, expect="bool")


def test_fields_and_tables_used_are_told() -> None:
    formula = compile_formula('if(paid, lookup("centres", country), [Cost Centre] & country)')
    assert formula.fields == ("paid", "country", "Cost Centre")
    assert formula.tables == ("centres",)


def test_declared_types_are_read_from_text() -> None:
    """States and JSON hold dates and decimals as text; their declared type makes them comparable."""
    formula = compile_formula("day > date(2026, 1, 1) and amount >= 12.5", fields=FIELDS)
    assert formula.evaluate({"day": "2026-01-31", "amount": "12.5"}) is True
    finding = formula.evaluate({"day": "soon", "amount": "12.5"})
    assert isinstance(finding, Finding)
    assert "day holds" in finding.text
