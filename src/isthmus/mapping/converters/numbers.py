"""Converters of numbers. Division never guesses: what does not come out exactly is a finding."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Any

from isthmus.mapping.converters.base import BadOptions, Converter, Kind, Options, factor, one_of, whole
from isthmus.mapping.failure import BadValue
from isthmus.mapping.plain import decimal_of, int_of, text_of
from isthmus.model.spelling import spell_decimal

_EXACT = Context(prec=60)


def _cents(options: Options) -> Converter:
    digits = whole(options, "digits", 2, 0, 8)

    def read(value: Any) -> Decimal | None:
        return None if value == "" else _EXACT.scaleb(Decimal(int_of(value)), -digits)

    def write(value: Any) -> int:
        scaled = _EXACT.scaleb(decimal_of(value), digits)
        if scaled != scaled.to_integral_value():
            raise BadValue(f"a number with at most {digits} decimals")
        return int(scaled)

    return Converter("number", "decimal", read, write)


_MARKS = {"comma": ",", "point": "."}


def _decimal(options: Options) -> Converter:
    mark = _MARKS[one_of(options, "mark", ("comma", "point"), "point")]
    grouping = options.get("grouping", False)
    if not isinstance(grouping, bool):
        raise BadOptions("grouping must be true or false")
    group = "." if mark == "," else ","
    places = whole(options, "places", 0, 0, 10) if "places" in options else None
    digits = rf"(?:[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+)" if grouping else "[0-9]+"
    match = re.compile(rf"[+-]?(?:{digits}(?:{re.escape(mark)}[0-9]+)?|{re.escape(mark)}[0-9]+)").fullmatch
    expected = f"a number such as {'1' + group + '234' if grouping else '1234'}{mark}5"

    def read(value: Any) -> Decimal | None:
        if not isinstance(value, str):
            return decimal_of(value)
        if value == "":
            return None
        if len(value) > 60 or not match(value):
            raise BadValue(expected)
        return decimal_of(value.replace(group, "").replace(mark, ".") if grouping else value.replace(mark, "."))

    def write(value: Any) -> str:
        number = decimal_of(value)
        text = spell_decimal(number)
        if places is not None:
            if _EXACT.quantize(number, Decimal(1).scaleb(-places)) != number:
                raise BadValue(f"a number with at most {places} decimals")
            text = f"{number:.{places}f}"
        head, _, tail = text.partition(".")
        sign, head = ("-", head[1:]) if head.startswith("-") else ("", head)
        head = f"{int(head):,}".replace(",", group) if grouping else head
        return sign + head + (mark + tail if tail else "")

    return Converter("any", "decimal", read, write)


def _scale(options: Options) -> Converter:
    by = factor(options)

    def read(value: Any) -> Decimal | None:
        return None if value == "" else decimal_of(_EXACT.multiply(decimal_of(value), by))

    def write(value: Any) -> Decimal:
        number = decimal_of(value)
        quotient = _EXACT.divide(number, by)
        if _EXACT.multiply(quotient, by) != number:
            raise BadValue(f"a number that can be divided by {by} without remainder")
        return quotient.normalize(_EXACT)

    return Converter("number", "decimal", read, write)


def _hours(options: Options) -> Converter:
    places = whole(options, "places", 6, 4, 10)
    step = Decimal(1).scaleb(-places)

    def read(value: Any) -> Decimal | None:
        return None if value == "" else _EXACT.quantize(_EXACT.divide(Decimal(int_of(value)), Decimal(3600)), step)

    def write(value: Any) -> int:
        return int(_EXACT.multiply(decimal_of(value), Decimal(3600)).to_integral_value())

    return Converter("number", "decimal", read, write, lossy=True)


def _bool(options: Options) -> Converter:
    if set(options) != {"yes", "no"}:
        raise BadOptions('bool needs both words: {yes: "Y", no: "N"} (or a list of words each; the first is written)')
    if isinstance(options["yes"], bool) or isinstance(options["no"], bool):
        raise BadOptions('the words need quotes: YAML reads Yes and No as true and false ({yes: "Yes", no: "No"})')
    yes, no = _choices(options["yes"]), _choices(options["no"])
    known = {**dict.fromkeys(no, False), **dict.fromkeys(yes, True)}
    if not yes or not no or set(yes) & set(no):
        raise BadOptions("yes and no need words that differ")
    expected = f"one of {', '.join(repr(word) for word in known)}"
    first = {True: _first(options["yes"]), False: _first(options["no"])}

    def read(value: Any) -> bool | None:
        word = _word(value)
        if word in known:
            return known[word]
        if word == "":
            return None
        if isinstance(value, bool):
            return value
        raise BadValue(expected)

    def write(value: Any) -> Any:
        if not isinstance(value, bool):
            raise BadValue("true or false")
        return first[value]

    return Converter("any", "bool", read, write)


def _choices(value: Any) -> tuple[str, ...]:
    return tuple(_word(word) for word in (value if isinstance(value, list) else [value]))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_of(value).strip().casefold()


KINDS: tuple[Kind, ...] = (
    Kind("cents", _cents, "whole cents <-> amount; `digits` for currencies with other than 2", ("digits",), "digits"),
    Kind(
        "decimal",
        _decimal,
        "number text with comma or point, with grouping if told",
        ("mark", "grouping", "places"),
        "mark",
    ),
    Kind("scale", _scale, "canonical = native x factor", ("factor",), "factor", ("factor",)),
    Kind("hours_from_seconds", _hours, "whole seconds <-> hours", ("places",), "places"),
    Kind("bool", _bool, "words for yes and no", ("yes", "no"), "", ("yes", "no")),
)
