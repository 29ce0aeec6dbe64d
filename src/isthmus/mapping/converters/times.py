"""Converters of dates and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from isthmus.mapping.converters.base import BadOptions, Converter, Kind, Options, fixed
from isthmus.mapping.converters.patterns import Pattern
from isthmus.mapping.failure import BadValue
from isthmus.mapping.plain import date_of, decimal_of, int_of, time_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _pattern(options: Options, default: str) -> Pattern:
    text = options.get("format", default)
    if not isinstance(text, str):
        raise BadOptions('format must be a pattern in quotes such as "%Y-%m-%d"')
    pattern = Pattern(text)
    if not pattern.has_date:
        raise BadOptions(f"the pattern {text!r} lacks year, month or day")
    return pattern


def _zone(options: Options) -> tzinfo | None:
    name = options.get("zone")
    if name is None:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadOptions(f'zone {name!r} is not known: give an IANA name such as "America/Chicago"') from None


def _date(options: Options) -> Converter:
    pattern = _pattern(options, "%Y-%m-%d")
    expected = f"a date in the form {pattern.text}"

    @lru_cache(maxsize=8192)
    def parse(text: str) -> date:
        moment = pattern.parse(text)
        if moment is None:
            raise BadValue(expected)
        if moment.time() != time():
            raise BadValue(f"{expected} at midnight (use local_date for moments)")
        return moment.date()

    def read(value: Any) -> date | None:
        if isinstance(value, str):
            return parse(value) if value else None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return parse(str(int_of(value)))  # 20260131 as a number
        return date_of(value)

    @lru_cache(maxsize=8192)
    def write(value: date) -> str:
        text = pattern.format(datetime.combine(value, time(), UTC))
        if pattern.short_year and parse(text) != value:
            raise BadValue("a date from 1969 to 2068, because the pattern has two-digit years")
        return text

    return Converter("any", "date", read, lambda value: write(date_of(value)))


def _to_utc(local: datetime, zone: tzinfo | None, expected: str) -> datetime:
    if local.tzinfo is None:
        if zone is None:
            raise BadValue(f"{expected}; it names no zone: add `zone:` to the converter")
        aware = local.replace(tzinfo=zone)
        if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            raise BadValue("a time that exists: the clock was put forward over it in this zone")
        local = aware
    try:
        return local.astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadValue(expected) from None


def _time(options: Options) -> Converter:
    zone = _zone(options)
    pattern = _pattern(options, "%Y-%m-%dT%H:%M:%S") if "format" in options else None
    if pattern is not None and zone is None and "z" not in pattern.letters:
        raise BadOptions("the pattern has no %z, so `zone:` must say which zone its times are of")
    form = pattern.text if pattern else "2026-01-31T08:00:00"
    expected = f"a time in the form {form}"

    def read(value: Any) -> datetime | None:
        if value == "":
            return None
        if isinstance(value, datetime):
            return _to_utc(value, zone, expected)
        if not isinstance(value, str):
            raise BadValue(expected)
        return _to_utc(_parse_time(value, pattern, expected), zone, expected)

    def write(value: Any) -> str:
        moment = time_of(value)
        try:
            local = moment.astimezone(zone or UTC)
        except (OverflowError, ValueError):
            raise BadValue(expected) from None
        if pattern is not None:
            return pattern.format(local)
        # A local form without offset where a zone is declared, as the native side has it; else ISO with Z.
        return (local.replace(tzinfo=None) if zone else local).isoformat().replace("+00:00", "Z")

    return Converter("text", "time", read, write, lossy=True)


def _parse_time(text: str, pattern: Pattern | None, expected: str) -> datetime:
    if pattern is not None:
        parsed = pattern.parse(text)
        if parsed is None:
            raise BadValue(expected)
        return parsed
    if len(text) < 16 or text[4:5] != "-" or text[10:11] not in {"T", " "}:
        raise BadValue(expected)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(expected) from None


def _local_date(options: Options) -> Converter:
    zone = _zone(options)
    if zone is None:
        raise BadOptions("local_date needs the zone whose calendar counts")
    moments = _time(options)

    def read(value: Any) -> date | None:
        moment = moments.read(value)
        return None if moment is None else moment.astimezone(zone).date()

    return Converter(
        "text",
        "date",
        read,
        lambda value: value,
        one_way="a date has no time of day to write back",
        read_only=True,
    )


def _unix(steps: int, step: timedelta) -> Converter:
    limit = 10**12 * steps

    def read(value: Any) -> datetime | None:
        if value == "":
            return None
        number = decimal_of(value)
        micros = number * 1_000_000 / steps
        if abs(number) > limit or micros != micros.to_integral_value():
            raise BadValue("a count of seconds or milliseconds since 1970")
        try:
            return _EPOCH + timedelta(microseconds=int(micros))
        except OverflowError:
            raise BadValue("a moment between the years 1 and 9999") from None

    def write(value: Any) -> int | Decimal:
        passed = time_of(value) - _EPOCH
        if passed % step:
            return Decimal(passed // timedelta(microseconds=1)) * steps / 1_000_000
        return passed // step

    return Converter("number", "time", read, write)


_DAYS = re.compile(r"([0-9]{1,4})([DW])").fullmatch


def _days(options: Options) -> Converter:
    """Whole days <-> a date formula of Business Central: 30 <-> 30D, 2W is 14 days, a month is not so many."""
    leave = "other" in options
    if leave and options["other"] not in (None, "null"):
        raise BadOptions('other must be "null": what other formulas are written as')

    def read(value: Any) -> str | None:
        return None if value == "" else f"{int_of(value)}D"

    def write(value: Any) -> int | None:
        found = _DAYS(value) if isinstance(value, str) else None
        if found is not None:
            return int(found[1]) * (7 if found[2] == "W" else 1)
        if leave or value == "":
            return None
        raise BadValue("a formula of days or weeks such as 30D, or other: null in the converter")

    return Converter("number", "text", read, write, lossy=True)


def _blank_date(value: Any) -> Any:
    if isinstance(value, str) and (value == "" or value.startswith("0001-01-01")):
        return None
    return value


def _write_blank_date(value: Any) -> Any:
    if value == date.min or value == date.min.isoformat():
        raise BadValue("a date after 0001-01-01, which means no date here")
    return "0001-01-01" if value is None else value


KINDS: tuple[Kind, ...] = (
    Kind("date", _date, "a date in a pattern; month names are English whatever the locale", ("format",), "format"),
    Kind("time", _time, "a time in a pattern and zone <-> UTC", ("format", "zone"), "format"),
    Kind(
        "local_date", _local_date, "the calendar day a moment falls on in a zone; read only", ("zone", "format"), "zone"
    ),
    Kind("days", _days, "whole days <-> date formula such as 30D", ("other",), "other"),
    Kind("unix_seconds", fixed(_unix(1, timedelta(seconds=1))), "seconds since 1970 <-> UTC"),
    Kind("unix_millis", fixed(_unix(1000, timedelta(milliseconds=1))), "milliseconds since 1970 <-> UTC"),
    Kind(
        "blank_date",
        fixed(Converter("any", "any", _blank_date, _write_blank_date, lossy=True, nulls=True)),
        "0001-01-01 <-> nothing (Business Central, bc.md §4)",
    ),
)
