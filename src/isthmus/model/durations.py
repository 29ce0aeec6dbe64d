"""Durations as files write them: `200ms`, `60s`, `5m`, `24h`, `7d`, put together `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1),
}  # fmt: skip
_PART = re.compile(r"(\d+)(ms|[smhd])")
_DURATION = re.compile(f"(?:{_PART.pattern})+")


def parse_duration(text: str) -> timedelta:
    """`200ms`, `60s`, `5m`, `24h`, `7d` or put together, `1h30m`. Raises ValueError for anything else and for zero."""
    if not _DURATION.fullmatch(text):
        raise ValueError("is not a duration: write a whole number with its unit, such as 60s, 5m, 24h or 7d")
    duration = sum((int(number) * _UNITS[unit] for number, unit in _PART.findall(text)), timedelta(0))
    if not duration:
        raise ValueError("is no time at all: write at least 1s")
    return duration


def duration_of(value: object) -> object:
    """What a settings model validates a duration with: text is parsed, a timedelta stays. Raises ValueError."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return value
    raise ValueError("needs a unit: write 60s, 5m, 24h or 7d")


def describe_duration(value: timedelta) -> str:
    """The shortest form a file could hold: 1 day is `24h`, 90 minutes `90m`."""
    for unit in ("h", "m", "s"):
        if value and not value % _UNITS[unit]:
            return f"{value // _UNITS[unit]}{unit}"
    return f"{value // _UNITS['ms']}ms" if value else "0s"
