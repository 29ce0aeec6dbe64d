"""Properties of an entity: their kinds, limits, who may write them, and how JSON becomes a value.

Values are kept as the API shows them: str for texts, codes, GUIDs, dates and times, Decimal, int and bool.
"""

from __future__ import annotations

import functools
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.clock import stamp

_TOO_LARGE = Decimal(10) ** 18
NO_GUID = "00000000-0000-0000-0000-000000000000"
NO_DATE = "0001-01-01"
NO_TIME = "0001-01-01T00:00:00Z"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Kind(StrEnum):
    """The Edm type of a property; CODE is text that the platform upper-cases and trims (bc.md section 4, assumed
    there).
    """

    GUID = "Edm.Guid"
    CODE = "code"
    TEXT = "Edm.String"
    DATE = "Edm.Date"
    TIME = "Edm.DateTimeOffset"
    DECIMAL = "Edm.Decimal"
    INT = "Edm.Int32"
    BOOL = "Edm.Boolean"
    ENUM = "enum"


class Writing(StrEnum):
    """What a write of the property does. IGNORED is assumed for flow fields that the page shows as editable."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    IGNORED = "ignored"


@functools.cache
def member(name: str) -> str:
    """An AL enum member name as OData writes it: `G/L Account` is `G_x002F_L_x0020_Account` (bc.md section 4)."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"_x{ord(c):04X}_" for c in name)


@functools.cache
def _members(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(member(name) for name in names)


@dataclass(frozen=True, slots=True)
class Options:
    """An enum: its AL member names in order. The first one is the blank value."""

    name: str
    names: tuple[str, ...]

    @property
    def members(self) -> tuple[str, ...]:
        return _members(self.names)


_BLANKS: dict[Kind, Any] = {
    Kind.GUID: NO_GUID,
    Kind.CODE: "",
    Kind.TEXT: "",
    Kind.DATE: NO_DATE,
    Kind.TIME: NO_TIME,
    Kind.DECIMAL: Decimal(0),
    Kind.INT: 0,
    Kind.BOOL: False,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One property. `size` is the maximal length of texts and codes; `refusal` is the text a write always raises."""

    name: str
    kind: Kind
    size: int = 0
    writing: Writing = Writing.ALLOWED
    options: Options | None = None
    required: bool = False
    refusal: str = ""
    default: Any = None
    #: Least and most a number may be (MinValue and MaxValue of the table field).
    least: Decimal | None = None
    most: Decimal | None = None

    def blank(self) -> Any:
        if self.default is not None:
            return self.default
        return self.options.members[0] if self.options is not None else _BLANKS[self.kind]

    def read(self, value: Any) -> Any:
        """A JSON value as this property keeps it. null is the blank value (assumed). Raises Refusal."""
        if value is None:
            return self.blank()
        try:
            found = _READERS[self.kind](self, value)
        except (TypeError, ValueError, ArithmeticError):
            # Wording of bc.md section 9, "Unable to convert value to Date".
            name = self.kind.value.removeprefix("Edm.")
            raise errors.bad_request(f"Unable to convert value to {name}. Property: {self.name}") from None
        if isinstance(found, Decimal):
            self._refuse_out_of_range(found)
        return found

    def _refuse_out_of_range(self, value: Decimal) -> None:
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            raise errors.out_of_range(self.name, value, self.least, self.most)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    if field.size and len(value) > field.size:
        raise errors.too_long(value, field.size)
    return value


def _code(field: Field, value: Any) -> str:
    return _text(field, value.strip().upper() if isinstance(value, str) else value)


def _guid(_: Field, value: Any) -> str:
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise ValueError
    return value.lower()


def _date(_: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return date.fromisoformat(value[:10] if value.endswith("T00:00:00Z") else value).isoformat()


def _time(_: Field, value: Any) -> str:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return stamp(moment.astimezone(UTC))


def _decimal(_: Field, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError
    found = Decimal(value)
    if not found.is_finite() or abs(found) >= _TOO_LARGE:
        raise ValueError
    return found


def _int(_: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _bool(_: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _enum(field: Field, value: Any) -> str:
    options = field.options or Options("", ())
    if value not in options.members:
        names = ",".join(options.names)
        text = f"'{value}' is not an option. The existing options are: {names}"
        raise errors.Refusal(400, "Unknown", text)
    return str(value)


_READERS = {
    Kind.GUID: _guid,
    Kind.CODE: _code,
    Kind.TEXT: _text,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DECIMAL: _decimal,
    Kind.INT: _int,
    Kind.BOOL: _bool,
    Kind.ENUM: _enum,
}


def is_guid(value: str) -> bool:
    return _GUID.fullmatch(value) is not None


def named_guid(*names: str) -> str:
    """A GUID that follows from names, so that the same seed gives the same ids in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "isthmus:sandbox:" + "/".join(names)))


def key() -> Field:
    """The `id` of nearly every set. Sending it is refused: the page marks it not editable (which pages take it
    anyway is unknown).
    """
    return Field("id", Kind.GUID, writing=Writing.REFUSED)


def modified(writing: Writing = Writing.REFUSED) -> Field:
    return Field("lastModifiedDateTime", Kind.TIME, writing=writing)


def shown(name: str, kind: Kind, size: int = 0, options: Options | None = None) -> Field:
    """A property the API shows and never takes."""
    return Field(name, kind, size, Writing.REFUSED, options)
