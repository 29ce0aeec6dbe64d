"""The functions of the formula language: a frozen list, documented in docs/formulas.md (a test holds both equal)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from isthmus.mapping.failure import BadValue
from isthmus.mapping.formula.values import ANY, BOOL, DATE, NUMBER, NUMBERS, TEXT, TIME, bounded, described, type_of
from isthmus.mapping.formula.values import text as as_text
from isthmus.mapping.plain import decimal_of

DAY = "date or time"
_ALLOWED = {DAY: {DATE, TIME}}


class Function(Struct, frozen=True):
    """One function.

    params    types of the arguments; the last one repeats when `repeat` is set
    least     fewest arguments
    result    type of the result; "same" = the joined type of the arguments
    run       the implementation; null arguments never reach it unless `nulls` is set
    """

    name: str
    params: tuple[str, ...]
    result: str
    run: Callable[..., Any]
    least: int
    repeat: bool = False
    nulls: bool = False

    @property
    def most(self) -> int:
        """Most arguments taken."""
        return 50 if self.repeat else len(self.params)

    def param(self, index: int) -> str:
        """The type of argument `index`."""
        return self.params[min(index, len(self.params) - 1)]


def accepts(wanted: str, kind: str) -> bool:
    """Whether an argument of static type `kind` can stand where `wanted` is needed."""
    return kind in {"any", "null"} or wanted == ANY or kind in _ALLOWED.get(wanted, {wanted})


def check_argument(name: str, wanted: str, value: Any) -> Any:
    """`value`, if it is of the wanted type. Raises BadValue naming the function."""
    if value is None or accepts(wanted, type_of(value)):
        return value
    remedy = "; use value() to read a number from text" if wanted == NUMBER and isinstance(value, str) else ""
    raise BadValue(f"{name}() needs a {wanted} where {described(value)} stands{remedy}")


def _count(value: Decimal, name: str, least: int = 0, most: int = 100_000) -> int:
    if value != value.to_integral_value() or not least <= value <= most:
        raise BadValue(f"{name}() needs a whole number from {least} to {most} where {described(value)} stands")
    return int(value)


def _left(value: str, count: Decimal) -> str:
    return value[: _count(count, "left")]


def _right(value: str, count: Decimal) -> str:
    wanted = _count(count, "right")
    return value[-wanted:] if wanted else ""


def _mid(value: str, start: Decimal, count: Decimal) -> str:
    begin = _count(start, "mid", 1) - 1
    return value[begin : begin + _count(count, "mid")]


def _proper(value: str) -> str:
    return re.sub(r"[^\W\d_]+(?:'[^\W\d_]+)?", lambda word: word[0][:1].upper() + word[0][1:].lower(), value)


def _replace(value: str, old: str, new: str) -> str:
    if not old:
        return value
    if len(value) + value.count(old) * (len(new) - len(old)) > 32_767:
        bounded("x" * 40_000)
    return value.replace(old, new)


def _concat(*values: Any) -> str:
    return bounded("".join(as_text(value) for value in values))


def _text(value: Any, form: Any = None) -> str:
    if form is None:
        return as_text(value)
    if isinstance(value, Decimal) and isinstance(form, Decimal):
        return format(_round(value, form), f".{max(_count(form, 'text', 0, 12), 0)}f")
    if isinstance(value, date) and isinstance(form, str):
        return _text_of_date(value, form)
    raise BadValue('text() takes text(number, places) or text(date, "dd.MM.yyyy")')


def _text_of_date(value: date, form: str) -> str:
    parts: Mapping[str, str] = {
        "yyyy": f"{value.year:04d}",
        "yy": f"{value.year % 100:02d}",
        "MM": f"{value.month:02d}",
        "dd": f"{value.day:02d}",
    }
    return re.sub("yyyy|yy|MM|dd", lambda match: parts[match[0]], form)


def _value(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise BadValue(f"value() needs a text where {described(value)} stands")
    if not value.strip():
        return None
    try:
        return decimal_of(value.strip())
    except BadValue:
        raise BadValue(f"value() needs a number with a decimal point where {described(value)} stands") from None


def _round(value: Decimal, places: Decimal | None = None) -> Decimal:
    digits = 0 if places is None else _count(places, "round", -12, 12)
    try:
        rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP, context=NUMBERS)
    except InvalidOperation:
        return value  # more digits than the precision holds: there is nothing to round at this place
    return rounded + 0 if digits >= 0 else Decimal(int(rounded))


def _extreme(name: str, pick: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def run(*values: Any) -> Any:
        told = [value for value in values if value is not None]
        kinds = {type_of(value) for value in told}
        if len(kinds) > 1 or not kinds <= {NUMBER, DATE, TIME}:
            raise BadValue(f"{name}() needs numbers only, dates only or times only")
        return pick(told) if told else None

    return run


def _date(first: Any, month: Any = None, day: Any = None) -> date:
    if isinstance(first, str) and month is None:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", first):
            raise BadValue(f'date() needs a text such as "2026-01-31" where {described(first)} stands')
        year, month_, day_ = (int(part) for part in first.split("-"))
    elif isinstance(first, Decimal) and isinstance(month, Decimal) and isinstance(day, Decimal):
        year, month_, day_ = _count(first, "date", 1, 9999), _count(month, "date", 1, 12), _count(day, "date", 1, 31)
    else:
        raise BadValue('date() takes date("2026-01-31") or date(year, month, day)')
    try:
        return date(year, month_, day_)
    except ValueError:
        raise BadValue(f"there is no day {year:04d}-{month_:02d}-{day_:02d}") from None


def _part(name: str) -> Callable[[date], Decimal]:
    return lambda value: Decimal(getattr(value, name))


def _adddays(value: date | datetime, count: Decimal) -> date:
    try:
        return value + timedelta(days=_count(count, "adddays", -1_000_000, 1_000_000))
    except OverflowError:
        raise BadValue("adddays() leaves the calendar (years 1 to 9999)") from None


def _contains(value: str, part: str) -> bool:
    return part in value


def _absent(*_: Any) -> Any:
    raise AssertionError("if, and, or, coalesce and lookup are compiled, not called")


def _isblank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


_LIST: tuple[Function, ...] = (
    Function("if", (BOOL, ANY, ANY), "same", _absent, 2, repeat=True, nulls=True),
    Function("and", (BOOL,), BOOL, _absent, 1, repeat=True, nulls=True),
    Function("or", (BOOL,), BOOL, _absent, 1, repeat=True, nulls=True),
    Function("not", (BOOL,), BOOL, _absent, 1, nulls=True),
    Function("coalesce", (ANY,), "same", _absent, 1, repeat=True, nulls=True),
    Function("isblank", (ANY,), BOOL, _isblank, 1, nulls=True),
    Function("len", (TEXT,), NUMBER, lambda value: Decimal(len(value)), 1),
    Function("left", (TEXT, NUMBER), TEXT, _left, 2),
    Function("right", (TEXT, NUMBER), TEXT, _right, 2),
    Function("mid", (TEXT, NUMBER, NUMBER), TEXT, _mid, 3),
    Function("upper", (TEXT,), TEXT, lambda value: bounded(value.upper()), 1),
    Function("lower", (TEXT,), TEXT, lambda value: bounded(value.lower()), 1),
    Function("trim", (TEXT,), TEXT, lambda value: " ".join(value.split()), 1),
    Function("proper", (TEXT,), TEXT, lambda value: bounded(_proper(value)), 1),
    Function("replace", (TEXT, TEXT, TEXT), TEXT, _replace, 3),
    Function("contains", (TEXT, TEXT), BOOL, _contains, 2),
    Function("startswith", (TEXT, TEXT), BOOL, str.startswith, 2),
    Function("endswith", (TEXT, TEXT), BOOL, str.endswith, 2),
    Function("concat", (ANY,), TEXT, _concat, 1, repeat=True, nulls=True),
    Function("text", (ANY, ANY), TEXT, _text, 1),
    Function("value", (ANY,), NUMBER, _value, 1),
    Function("round", (NUMBER, NUMBER), NUMBER, _round, 1),
    Function("abs", (NUMBER,), NUMBER, abs, 1),
    Function("min", (ANY,), "same", _extreme("min", min), 1, repeat=True, nulls=True),
    Function("max", (ANY,), "same", _extreme("max", max), 1, repeat=True, nulls=True),
    Function("date", (ANY, NUMBER, NUMBER), DATE, _date, 1),
    Function("year", (DAY,), NUMBER, _part("year"), 1),
    Function("month", (DAY,), NUMBER, _part("month"), 1),
    Function("day", (DAY,), NUMBER, _part("day"), 1),
    Function("adddays", (DAY, NUMBER), "same", _adddays, 2),
    Function("lookup", (TEXT, ANY, ANY), ANY, _absent, 2, nulls=True),
)

#: All functions by name. Adding one means adding it to docs/formulas.md as well.
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _LIST}
