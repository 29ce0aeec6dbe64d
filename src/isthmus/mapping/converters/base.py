"""What a converter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

Options = Mapping[str, Any]


class BadOptions(ValueError):
    """Options of a converter that make no sense; the message is for the author of the mapping."""


class Converter(Struct, frozen=True):
    """One step between native and canonical.

    takes        type of the native side: text, number, bool, list, any
    gives        type of the canonical side: text, decimal, int, bool, date, time, list, struct, any
    read, write  never see None unless `nulls`; raise BadValue
    lossy        reading forgets something that does not matter (case, blanks): read(write(x)) = x holds for values as
                 they are read, and writing changes the spelling at the other side
    one_way      why a two-way flow cannot use it, "" when it can
    read_only    writing is impossible; else a one-way converter writes the first fitting native word
    nulls        write is called for None as well (a system that has a word for nothing)
    """

    takes: str
    gives: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    lossy: bool = False
    one_way: str = ""
    read_only: bool = False
    nulls: bool = False


class Kind(Struct, frozen=True):
    """A family of converters by name: `build` makes one from its options and raises BadOptions.

    short is the option a plain value stands for: `{date: "%Y"}` means `{date: {format: "%Y"}}`; "" = takes none.
    """

    name: str
    build: Callable[[Options], Converter]
    about: str
    options: tuple[str, ...] = ()
    short: str = ""
    required: tuple[str, ...] = ()
    #: All keys of the options are data (`{enum: {Draft: open}}`).
    open: bool = False


def fixed(converter: Converter) -> Callable[[Options], Converter]:
    """A kind without options."""
    return lambda options: converter


def one_of(options: Options, name: str, choices: tuple[str, ...], default: str) -> str:
    """Option `name`, one of `choices`. Raises BadOptions."""
    value = options.get(name, default)
    if value not in choices:
        raise BadOptions(f"{name} is {value!r}, it must be one of {', '.join(choices)}")
    return str(value)


def whole(options: Options, name: str, default: int, least: int, most: int) -> int:
    """Option `name` as a whole number within bounds. Raises BadOptions."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadOptions(f"{name} is {value!r}, it must be a whole number from {least} to {most}")
    return value


def words(options: Options, name: str) -> str:
    """Option `name` as a non-empty text. Raises BadOptions."""
    value = options.get(name)
    if not isinstance(value, str) or not value:
        raise BadOptions(f"{name} must be a text that is not empty")
    return value


def factor(options: Options, name: str = "factor") -> Decimal:
    """Option `name` as a Decimal other than zero. Raises BadOptions."""
    value = options.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not value:
        raise BadOptions(f"{name} must be a number other than zero")
    return Decimal(value)
