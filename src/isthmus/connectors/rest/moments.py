"""Times as systems write them: ISO, seconds or milliseconds since 1970, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from isthmus.errors import ConfigurationError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: directives of a pattern that say more than the day
_CLOCK = re.compile(r"%[HIMSf]")


class NotTime(ValueError):
    """The value is no time of this form. Carries nothing of it."""


class TimeForm(Struct, frozen=True):
    """One form of time.

    read     wire value -> aware UTC; raises NotTime
    write    aware UTC -> wire value, cut to what the form can say
    step     the smallest difference the form can say, in milliseconds
    """

    read: Callable[[Any], datetime]
    write: Callable[[datetime], Any]
    step: int


def time_form(form: str, zone: str) -> TimeForm:
    """`iso`, `unix_seconds`, `unix_millis`, or a strptime pattern; `zone` holds where a time names none.

    Raises ConfigurationError for an unknown form or zone.
    """
    try:
        local = UTC if zone == "UTC" else ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(
            f"there is no time zone {zone!r}.", hint="Write an IANA name such as Europe/Berlin."
        ) from None
    if form == "iso":
        return TimeForm(lambda value: _from_iso(value, local), _to_iso, 1)
    if form == "unix_seconds":
        return TimeForm(lambda value: _from_number(value, 1000), lambda moment: milliseconds(moment) // 1000, 1000)
    if form == "unix_millis":
        return TimeForm(lambda value: _from_number(value, 1), milliseconds, 1)
    if "%" not in form:
        raise ConfigurationError(
            f"{form!r} is no form of time.", hint="Write iso, unix_seconds, unix_millis, or a pattern such as %m/%d/%Y."
        )
    step = 1000 if _CLOCK.search(form) else 86_400_000
    return TimeForm(
        lambda value: _from_pattern(value, form, local), lambda moment: moment.astimezone(local).strftime(form), step
    )


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, cut."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_at(position: int) -> datetime:
    """The moment so many milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=position)


def canonical(moment: datetime) -> str:
    """The one spelling of a time in native records."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _from_iso(value: Any, zone: Any) -> datetime:
    if not isinstance(value, str):
        raise NotTime
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise NotTime from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _to_iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_number(value: Any, factor: int) -> datetime:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NotTime
    try:
        return _EPOCH + timedelta(microseconds=int(value * factor * 1000))
    except (OverflowError, ValueError):
        raise NotTime from None


def _from_pattern(value: Any, form: str, zone: Any) -> datetime:
    if not isinstance(value, str):
        raise NotTime
    try:
        found = datetime.strptime(value, form)  # noqa: DTZ007 - the zone is put on below
    except ValueError:
        raise NotTime from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def day_form(form: str) -> tuple[Callable[[Any], str], Callable[[date], Any]]:
    """Days: wire value -> ISO day (raises NotTime), and back."""
    if form == "iso":
        return _iso_day, lambda day: day.isoformat()
    if form in {"unix_seconds", "unix_millis"}:
        times = time_form(form, "UTC")
        return (
            lambda value: times.read(value).date().isoformat(),
            lambda day: times.write(datetime(day.year, day.month, day.day, tzinfo=UTC)),
        )
    times = time_form(form, "UTC")
    return lambda value: times.read(value).date().isoformat(), lambda day: day.strftime(form)


def _iso_day(value: Any) -> str:
    if not isinstance(value, str):
        raise NotTime
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        raise NotTime from None
