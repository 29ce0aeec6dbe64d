"""Kinds of values: from JSON to what is kept and shown. Kept is the wire's own form: an exact decimal is a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Protocol

from isthmus.sandbox.cafm.problems import Detail
from isthmus.sandbox.clock import stamp

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

_DECIMAL = re.compile(r"-?\d{1,13}(?:\.\d{1,12})?")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
Record = dict[str, Any]


class Wrong(Exception):
    """A value that is refused, with its code; the reading knows where it stands."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Reading:
    """One body being read: the world its references lead to, and everything wrong with it so far.

    `lenient`: a seed or a user's hand. Texts stand for numbers and flags, and a reference may name a code or number.
    """

    def __init__(self, world: World, *, lenient: bool = False) -> None:
        self.world = world
        self.lenient = lenient
        self.details: list[Detail] = []

    def wrong(self, code: str, at: str, message: str) -> None:
        self.details.append(Detail(code, f"{at}: {message}", at))

    def value(self, kind: Kind, given: Any, at: str) -> Any:
        """What is kept of a given value; None, and a note of it, when it is wrong. null and "" are None."""
        if given is None or given == "":
            return None
        try:
            return kind.read(given, self)
        except Wrong as wrong:
            self.wrong(wrong.code, at, str(wrong))
            return None


class Kind(Protocol):
    """How a value is read."""

    def read(self, given: Any, reading: Reading) -> Any:
        """Raises Wrong."""
        ...


class Text:
    """A text of at most so many characters."""

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", "this takes a text.")
        if len(given) > self.length:
            raise Wrong("too_long", f"{len(given)} characters, at most {self.length} are kept.")
        return given


class Code(Text):
    """A text that names a record."""

    def read(self, given: Any, reading: Reading) -> str:
        text = super().read(given, reading)
        if text != text.strip():
            raise Wrong("wrong_format", "a code has no blanks at its ends.")
        return text


class Country(Text):
    """ISO 3166, two letters."""

    def __init__(self) -> None:
        super().__init__(2)

    def read(self, given: Any, reading: Reading) -> str:
        text = super().read(given, reading)
        if not re.fullmatch("[A-Z]{2}", text):
            raise Wrong("wrong_format", f"{text!r} is not a country of two capital letters.")
        return text


class Exact:
    """A decimal of so many places, as text. Never rounded on the way in."""

    def __init__(self, places: int, *, signed: bool = True, zero: bool = True) -> None:
        self.places, self.signed, self.zero = places, signed, zero

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", 'this takes a text with a decimal point, e.g. "12.50".')
        if not _DECIMAL.fullmatch(given):
            raise Wrong("wrong_format", f"{given!r} is not a decimal.")
        number = Decimal(given)
        if number != rounded(number, self.places):
            raise Wrong("too_many_decimals", f"{given} has more than {self.places} decimals.")
        if (number < 0 and not self.signed) or (number <= 0 and not (self.signed or self.zero)):
            raise Wrong("out_of_range", f"{given} is not above 0." if not self.zero else f"{given} is negative.")
        return shown(number, self.places)


class Integer:
    """A whole number in a range."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def read(self, given: Any, reading: Reading) -> int:
        if reading.lenient and isinstance(given, str) and re.fullmatch(r"-?\d+", given):
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool):
            raise Wrong("wrong_type", "this takes a whole number.")
        if not self.low <= given <= self.high:
            raise Wrong("out_of_range", f"{given} is not from {self.low} to {self.high}.")
        return given


class Flag:
    """true or false."""

    def read(self, given: Any, reading: Reading) -> bool:
        if reading.lenient and isinstance(given, str):
            given = _WORDS.get(given.lower(), given)
        if not isinstance(given, bool):
            raise Wrong("wrong_type", "this takes true or false.")
        return given


class Choice:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", "this takes a text.")
        if given not in self.words:
            raise Wrong("not_a_choice", f"{given!r} is none of {', '.join(self.words)}.")
        return given


class Day:
    """A date."""

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", "this takes a text.")
        try:
            found = date.fromisoformat(given)
        except ValueError:
            found = None
        if found is None or found.isoformat() != given:
            raise Wrong("wrong_format", f"{given!r} is not a date such as 2026-11-21.")
        return given


class Time:
    """A moment; shown in UTC with milliseconds. `past`: not in the future."""

    def __init__(self, *, past: bool = False) -> None:
        self.past = past

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", "this takes a text.")
        found = moment(given)
        if self.past and found > reading.world.now():
            raise Wrong("out_of_range", f"{given} is in the future.")
        return found


class ById:
    """A reference by id. Kept is the id."""

    def __init__(self, entity: str) -> None:
        self.entity = entity

    def read(self, given: Any, reading: Reading) -> int:
        table = reading.world.tables[self.entity]
        if reading.lenient and isinstance(given, str):
            row = table.named(given)
        elif not isinstance(given, int) or isinstance(given, bool):
            raise Wrong("wrong_type", "this takes an id, a whole number.")
        else:
            row = table.live(given)
        return int(_usable(row, self.entity, given)["id"])


class ByCode:
    """A reference by code. Kept is the code as its record writes it."""

    def __init__(self, entity: str) -> None:
        self.entity = entity

    def read(self, given: Any, reading: Reading) -> str:
        if not isinstance(given, str):
            raise Wrong("wrong_type", "this takes a code, a text.")
        row = reading.world.tables[self.entity].by_code(given)
        return str(_usable(row, self.entity, given)["code"])


def _usable(row: Record | None, entity: str, given: Any) -> Record:
    if row is None:
        raise Wrong("unknown_reference", f"there is no {given!r} in {entity}.")
    if row.get("active") is False or row.get("postable") is False:
        raise Wrong("inactive_reference", f"{given!r} in {entity} is not in use.")
    return row


class Dimensions:
    """A list of dimension and value, each dimension at most once."""

    def read(self, given: Any, reading: Reading) -> list[Record]:
        if reading.lenient and isinstance(given, dict):
            given = [{"dimension": name, "value": value} for name, value in given.items()]
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise Wrong("wrong_type", 'this takes a list such as [{"dimension": "DEPARTMENT", "value": "ADM"}].')
        found: dict[str, Record] = {}
        for one in given:
            if set(one) != {"dimension", "value"} or not all(isinstance(part, str) for part in one.values()):
                raise Wrong("wrong_type", "each takes dimension and value, both texts.")
            dimension = ByCode("dimensions").read(one["dimension"], reading)
            row = reading.world.tables["dimensionValues"].by_key(("dimensionCode", "code"), dimension, one["value"])
            _usable(row, f"dimensionValues of {dimension}", one["value"])
            if dimension in found:
                raise Wrong("duplicate_line", f"{dimension} is named twice.")
            found[dimension] = {"dimension": dimension, "value": row["code"] if row else one["value"]}
        return list(found.values())


class Words:
    """A list of texts, each of a given form."""

    def __init__(self, form: str, example: str) -> None:
        self._form, self._example = re.compile(form), example

    def read(self, given: Any, reading: Reading) -> list[str]:
        if not isinstance(given, list) or not given:
            raise Wrong("wrong_type", f"this takes a list such as {self._example}.")
        for one in given:
            if not isinstance(one, str) or not self._form.fullmatch(one):
                raise Wrong("wrong_format", f"{one!r} is not of the form in {self._example}.")
        return list(given)


MONEY = Exact(2)
PRICE = Exact(4, signed=False)
QUANTITY = Exact(5)
NOT_NEGATIVE = Exact(5, signed=False)
POSITIVE = Exact(5, signed=False, zero=False)
RATE = Exact(6, signed=False, zero=False)
HOURS = Exact(2)
FLAG, DAY, TIME, DIMENSIONS = Flag(), Day(), Time(), Dimensions()


def rounded(number: Decimal, places: int) -> Decimal:
    """Half away from zero."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def shown(number: Decimal, places: int) -> str:
    """As the wire has it; no minus before zero."""
    found = rounded(number, places)
    return f"{found if found else abs(found):f}"


def total(amounts: Sequence[Any]) -> str:
    """Sum of amounts as texts, as an amount."""
    return shown(sum((Decimal(one) for one in amounts if one is not None), Decimal(0)), 2)


def moment(text: str) -> str:
    """A time with any offset as the wire has it, cut to milliseconds. Raises Wrong."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong("wrong_format", f"{text!r} is not a time such as 2026-11-21T08:15:30Z.") from None
    if found.tzinfo is None:
        raise Wrong("wrong_format", f"{text!r} has no offset; write Z for UTC.")
    return stamp(found.astimezone(UTC))
