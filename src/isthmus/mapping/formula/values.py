"""Values and types of the formula language: text, number, bool, date, time, null. No float anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, Underflow
from typing import Any

from isthmus.mapping.failure import BadValue, quoted
from isthmus.mapping.plain import decimal_of, text_of

#: 34 digits, and no number too big to be written out.
NUMBERS = Context(prec=34, Emax=40, Emin=-60, traps=[DivisionByZero, InvalidOperation, Overflow])
NUMBERS.traps[Underflow] = False

#: Longest text a formula may build (the limit of a spreadsheet cell).
MAX_TEXT = 32_767

Type = str
ANY, TEXT, NUMBER, BOOL, DATE, TIME, NULL = "any", "text", "number", "bool", "date", "time", "null"
A = {TEXT: "a text", NUMBER: "a number", BOOL: "true or false", DATE: "a date", TIME: "a time", NULL: "nothing"}

#: Native and canonical field types -> type in formulas.
FIELD_TYPES: Mapping[str, Type] = {
    "text": TEXT,
    "enum": TEXT,
    "guid": TEXT,
    "decimal": NUMBER,
    "int": NUMBER,
    "bool": BOOL,
    "date": DATE,
    "time": TIME,
}


def type_of(value: Any) -> Type:
    """The type of a value at run time; `any` for what formulas cannot handle."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, str):
        return TEXT
    if isinstance(value, Decimal):
        return NUMBER
    if isinstance(value, datetime):
        return TIME
    return DATE if isinstance(value, date) else ANY


def plain(value: Any) -> Any:
    """A native value as formulas see it: numbers become Decimal. Raises BadValue for lists, objects and floats."""
    if value is None or isinstance(value, str | bool | date):
        return value
    if isinstance(value, int | Decimal):
        return decimal_of(value)
    raise BadValue("a text, number, bool, date or time")


def number(value: Any) -> Decimal:
    """`value`, which must be a number. Raises BadValue with the remedy for number-like text."""
    if isinstance(value, Decimal):
        return value
    remedy = "; use value() to read a number from text" if isinstance(value, str) else ""
    raise BadValue(f"a number is needed where {described(value)} stands{remedy}")


def boolean(value: Any) -> bool:
    """`value`, which must be true or false; null counts as false."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadValue(f"true or false is needed where {described(value)} stands")


def text(value: Any) -> str:
    """What `&` makes of a value: null gives "", numbers and dates their one spelling, bools true/false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | Decimal | date):
        raise BadValue(f"a text is needed where {described(value)} stands")
    return text_of(value)


def bounded(result: str) -> str:
    """`result`, unless it is longer than MAX_TEXT."""
    if len(result) > MAX_TEXT:
        raise BadValue(f"a text becomes longer than {MAX_TEXT} characters")
    return result


def described(value: Any) -> str:
    """`the text "x"`, `the number 5`."""
    names = {TEXT: "the text", NUMBER: "the number", BOOL: "the bool", DATE: "the date", TIME: "the time"}
    kind = type_of(value)
    return "nothing" if value is None else f"{names.get(kind, 'a value')} {quoted(value)}"


def compare(sign: str, left: Any, right: Any) -> Any:
    """`=` and `<>` always answer; the others give null when a side is null. Raises BadValue for different types."""
    if sign in {"=", "<>"} and (left is None or right is None):
        return (left is right) == (sign == "=")
    if left is None or right is None:
        return None
    if type_of(left) != type_of(right):
        hint = "; use value() to read a number from text" if {type_of(left), type_of(right)} == {TEXT, NUMBER} else ""
        raise BadValue(f"{described(left)} cannot be compared with {described(right)}{hint}")
    return _COMPARE[sign](left, right)


_COMPARE = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def arithmetic(sign: str, left: Any, right: Any) -> Decimal | None:
    """One step of + - * /; null if a side is null. Raises BadValue for text, division by zero and overflow."""
    if left is None or right is None:
        return None
    one, two = number(left), number(right)
    if sign == "/" and not two:
        raise BadValue("a division by zero; guard it with if(x = 0, ..., ...)")
    try:
        result = {"+": NUMBERS.add, "-": NUMBERS.subtract, "*": NUMBERS.multiply, "/": NUMBERS.divide}[sign](one, two)
    except (Overflow, InvalidOperation):
        raise BadValue("the result has more than 40 digits") from None
    return result
