"""Durations as files write them: `60s`, `5m`, `24h`, `7d`, put together `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")


def parse_duration(text: str) -> timedelta:
    """`60s`, `5m`, `24h`, `7d` or put together, `1h30m`. Raises ValueError for anything else and for zero."""
    if not _DURATION.fullmatch(text):
        raise ValueError("is not a duration: write a whole number with its unit, such as 60s, 5m, 24h or 7d")
    duration = timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))
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
    seconds = int(value.total_seconds())
    for unit in ("h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"
