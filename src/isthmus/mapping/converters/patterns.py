"""Date patterns with % letters, independent of the process locale (strptime is not: %b is März in de_DE)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from isthmus.mapping.converters.base import BadOptions

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_READ = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>1[0-2]|0?[1-9])",
    "d": r"(?P<d>3[01]|[12][0-9]|0?[1-9])",
    "b": f"(?P<b>{'|'.join(MONTHS)})",
    "B": f"(?P<B>{'|'.join(_FULL)})",
    "H": r"(?P<H>2[0-3]|[01]?[0-9])",
    "I": r"(?P<I>1[0-2]|0?[1-9])",
    "p": r"(?P<p>AM|PM)",
    "M": r"(?P<M>[0-5]?[0-9])",
    "S": r"(?P<S>[0-5]?[0-9])",
    "f": r"(?P<f>[0-9]{1,6})",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%": "%",
}
LETTERS = "".join(_READ)


class Pattern:
    """A pattern such as `%d.%m.%Y %H:%M`. Raises BadOptions for unknown or doubled letters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.letters: set[str] = set()
        parts: list[str] = []
        self._pieces: list[str | Callable[[datetime], str]] = []
        for piece in re.findall(r"%.|[^%]+|%$", text):
            if not piece.startswith("%"):
                parts.append(re.escape(piece))
                self._pieces.append(piece)
                continue
            letter = piece[1:]
            if letter not in _READ:
                raise BadOptions(f"{piece!r} is not known in a date pattern: known are %{', %'.join(LETTERS)}")
            if letter in self.letters and letter != "%":
                raise BadOptions(f"{piece!r} stands twice in the pattern")
            self.letters.add(letter)
            parts.append(_READ[letter])
            self._pieces.append("%" if letter == "%" else _WRITE[letter])
        if {"y", "Y"} <= self.letters or len(self.letters & {"m", "b", "B"}) > 1:
            raise BadOptions("year or month stands twice in the pattern")
        if "I" in self.letters and "p" not in self.letters:
            raise BadOptions("%I needs %p beside it, else morning and evening look alike")
        self._match = re.compile("".join(parts), re.IGNORECASE).fullmatch

    @property
    def has_date(self) -> bool:
        """Year, month and day are all there."""
        return bool({"Y", "y"} & self.letters and {"m", "b", "B"} & self.letters and "d" in self.letters)

    @property
    def short_year(self) -> bool:
        """Two-digit years: the century is a convention."""
        return "y" in self.letters

    def parse(self, text: str) -> datetime | None:
        """Naive or aware time, None when the text does not fit."""
        match = self._match(text)
        if match is None:
            return None
        part = match.groupdict()
        try:
            moment = datetime(  # noqa: DTZ001 - the zone, if any, is added by the caller or below
                _year(part), _month(part), int(part["d"]), _hour(part), int(part.get("M") or 0),
                int(part.get("S") or 0), int((part.get("f") or "0").ljust(6, "0")),
            )  # fmt: skip
        except ValueError:
            return None
        return moment.replace(tzinfo=_offset(part["z"])) if part.get("z") else moment

    def format(self, moment: datetime) -> str:
        """The text of a time."""
        return "".join(piece if isinstance(piece, str) else piece(moment) for piece in self._pieces)


def _year(part: dict[str, Any]) -> int:
    if part.get("Y"):
        return int(part["Y"])
    short = int(part["y"])
    return short + (2000 if short < 69 else 1900)  # the convention of POSIX


def _month(part: dict[str, Any]) -> int:
    if part.get("m"):
        return int(part["m"])
    return MONTHS.index((part.get("b") or part["B"])[:3].title()) + 1


def _hour(part: dict[str, Any]) -> int:
    if part.get("I"):
        return int(part["I"]) % 12 + (12 if part["p"].upper() == "PM" else 0)
    return int(part.get("H") or 0)


def _offset(text: str) -> timezone:
    if text.upper() == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _offset_text(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


_WRITE: dict[str, Callable[[datetime], str]] = {
    "Y": lambda t: f"{t.year:04d}",
    "y": lambda t: f"{t.year % 100:02d}",
    "m": lambda t: f"{t.month:02d}",
    "d": lambda t: f"{t.day:02d}",
    "b": lambda t: MONTHS[t.month - 1],
    "B": lambda t: _FULL[t.month - 1],
    "H": lambda t: f"{t.hour:02d}",
    "I": lambda t: f"{t.hour % 12 or 12:02d}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "M": lambda t: f"{t.minute:02d}",
    "S": lambda t: f"{t.second:02d}",
    "f": lambda t: f"{t.microsecond:06d}",
    "z": _offset_text,
}
