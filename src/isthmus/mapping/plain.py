"""Strict conversion between native values, typed values and the one spelling of states."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from isthmus.mapping.failure import BadValue
from isthmus.model.entity import Field
from isthmus.model.spelling import spell, spell_decimal

Convert = Callable[[Any], Any]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)").fullmatch
#: A number already in the one spelling: most cells of a clean file, and then no Decimal needs to be made.
_SPELLED = re.compile(r"0|-?(?:[1-9][0-9]{0,24}|0(?=\.))(?:\.[0-9]{0,11}[1-9])?").fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*").fullmatch

A_NUMBER = "a number with a decimal point, such as 183.05"
A_DATE = "a date such as 2026-01-31"
A_TIME = "a time with its zone, such as 2026-01-31T08:00:00Z"


def decimal_of(value: Any) -> Decimal:
    """A finite Decimal of sane size. Text needs a decimal point, no grouping, no blanks. Never a float."""
    if isinstance(value, str):
        if len(value) > 60 or not _NUMBER(value):
            raise BadValue(A_NUMBER)
        value = Decimal(value)
    elif isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise BadValue(A_NUMBER)
    elif isinstance(value, int):
        if abs(value) >= 10**40:
            raise BadValue("a number of at most 40 digits")
        value = Decimal(value)
    if not value.is_finite():
        raise BadValue(A_NUMBER)
    # A wire value like 1E+999999 would become a megabyte of zeros.
    if value and (abs(value.adjusted()) > 40 or int(value.as_tuple().exponent) < -60):
        raise BadValue("a number of at most 40 digits")
    return value or Decimal(0)


def _decimal_state(value: Any) -> str:
    if value.__class__ is str and _SPELLED(value):
        return str(value)
    return spell_decimal(decimal_of(value))


def int_of(value: Any) -> int:
    """A whole number, from int, a Decimal without fraction, or its text."""
    if isinstance(value, str) and _INTEGER(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        return value
    if isinstance(value, Decimal) and decimal_of(value) == value.to_integral_value():
        return int(value)
    raise BadValue("a whole number")


def bool_of(value: Any) -> bool:
    """true or false, as such or as that word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    raise BadValue("true or false (other words need `via: {bool: {yes: ..., no: ...}}`)")


def text_of(value: Any) -> str:
    """Text; numbers and dates in their one spelling. A bool is not text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | date):
        raise BadValue("a text")
    return str(spell(decimal_of(value) if isinstance(value, Decimal) else value))


@lru_cache(maxsize=8192)
def _parse_date(text: str) -> date:
    if not _DATE(text):
        raise BadValue(A_DATE)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue(A_DATE) from None


def date_of(value: Any) -> date:
    """A date from ISO text or a date."""
    if isinstance(value, str):
        return _parse_date(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise BadValue(A_DATE)


def time_of(value: Any) -> datetime:
    """An aware UTC time from ISO text with an offset."""
    if isinstance(value, str) and _TIME(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadValue(A_TIME) from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadValue(A_TIME)
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadValue(A_TIME) from None


def _date_state(value: Any) -> str:
    return date_of(value).isoformat()


def _time_state(value: Any) -> str:
    return str(spell(time_of(value)))


def plain_state(value: Any) -> Any:
    """Any native value in the one spelling, nested lists and objects included. Refuses floats."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int_of(value)
    if isinstance(value, Decimal):
        return spell_decimal(decimal_of(value))
    if isinstance(value, Mapping):
        return {str(name): plain_state(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_state(item) for item in value]
    if isinstance(value, date):
        return _time_state(value) if isinstance(value, datetime) else value.isoformat()
    raise BadValue("a text, number, bool, list or object")


def _enum_state(choices: tuple[str, ...]) -> Convert:
    known = frozenset(choices)
    expected = f"one of {', '.join(choices)}"

    def convert(value: Any) -> str:
        if value.__class__ is str and value in known:
            return str(value)
        raise BadValue(expected)

    return convert


def _map_state(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise BadValue("an object of names and values")
    return plain_state(value)


def _list_state(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise BadValue("a list")
    return plain_state(value)


_TO_STATE: Mapping[str, Convert] = {
    "text": text_of,
    "decimal": _decimal_state,
    "int": int_of,
    "bool": bool_of,
    "date": _date_state,
    "time": _time_state,
    "map": _map_state,
    "struct": _map_state,
    "list": _list_state,
    "any": plain_state,
}
#: What a state value is turned into before converters write it.
_FROM_STATE: Mapping[str, Convert] = {
    "text": text_of,
    "enum": text_of,
    "decimal": decimal_of,
    "int": int_of,
    "bool": bool_of,
    "date": date_of,
    "time": time_of,
}


def to_state(field: Field) -> Convert:
    """The strict conversion of a native (or converted) value into the state of `field`.

    An empty text is nothing for every type but text, because a file has no other way to say nothing. Nothing in a field
    that must have a value is a BadValue.
    """
    convert = _enum_state(field.choices) if field.type == "enum" else _TO_STATE[field.type]
    if field.type in {"text", "any"} and field.nullable:
        return lambda value: value if value is None or value.__class__ is str else convert(value)
    blank_is_nothing = field.type not in {"text", "any"}

    def strict(value: Any) -> Any:
        if value is None or (blank_is_nothing and value == ""):
            if field.nullable or field.type == "any":
                return None
            raise BadValue("a value, it must not be empty")
        return convert(value)

    return strict


def from_state(field: Field) -> Convert:
    """The typed value (Decimal, date, aware time ...) of a state value of `field`; None stays None."""
    convert = _FROM_STATE.get(field.type)
    if convert is None:
        return lambda value: value
    return lambda value: None if value is None else convert(value)


def _native_text(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else text_of(value)


def _as_is(value: Any) -> Any:
    """Dates and times have no JSON form of their own; all else travels typed."""
    return spell(value) if isinstance(value, date) else value


_NATIVE: Mapping[str, Convert] = {
    "text": _native_text,
    "decimal": decimal_of,
    "int": int_of,
    "bool": bool_of,
    "date": _date_state,
    "time": _time_state,
}


def native_form(native_type: str) -> Convert:
    """The conversion of a typed value into what a native field of this type takes; unknown types take it as it is."""
    convert = _NATIVE.get(native_type, _as_is)
    return lambda value: None if value is None else convert(value)
