"""Types of settings that YAML has no word for: durations, dates, cron lines, time zones, tuples, frozen maps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NoReturn, TypeVar
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator

from isthmus.app.project.spelling import closest
from isthmus.model.durations import duration_of

T = TypeVar("T")
K = TypeVar("K")


def _date(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date: write it as year-month-day, such as 2026-01-31") from None


def _zone(value: str) -> str:
    known = available_timezones()
    if value not in known:
        near = closest(value, known)
        raise ValueError(
            "is not a time zone of the IANA list, such as Australia/Perth or UTC"
            + (f"; did you mean {near}?" if near else "")
        )
    return value


def _cron(value: str) -> str:
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        raise ValueError('is not a cron line of five parts: "0 * * * *" is every full hour') from None
    return value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Frozen(dict[K, T]):
    """A dict that refuses changes. A real dict, because encoders do not take a mapping proxy."""

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("a project does not change: edit its files and load it again")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[Frozen[K, T]], tuple[dict[K, T]]]:
        return Frozen, (dict(self),)


Duration = Annotated[timedelta, BeforeValidator(duration_of)]
Day = Annotated[date, BeforeValidator(_date)]
Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
#: A list in YAML, a tuple in Python: `Many[str]`.
Many = Annotated[tuple[T, ...], BeforeValidator(_tuple)]
#: A map in YAML that nobody changes afterwards: `Table[str]`.
Table = Annotated[Mapping[str, T], AfterValidator(Frozen)]
