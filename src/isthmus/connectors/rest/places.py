"""Places in JSON values: `data.items`, `lines[0].id`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from isthmus.connectors.rest.templates import UNSET

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def getter(place: str) -> Callable[[Any], Any]:
    """A function that finds what stands at `place`, UNSET where nothing does. "" is the value itself."""
    steps: list[str | int] = [match[1] if match[1] is not None else int(match[2]) for match in _STEP.finditer(place)]
    if not steps:
        return lambda value: value
    if len(steps) == 1 and isinstance(steps[0], str):
        only = steps[0]
        return lambda value: value.get(only, UNSET) if isinstance(value, Mapping) else UNSET

    def get(value: Any) -> Any:
        for step in steps:
            if isinstance(step, str):
                value = value.get(step, UNSET) if isinstance(value, Mapping) else UNSET
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else UNSET
            if value is UNSET:
                return UNSET
        return value

    return get


def text_at(value: Any, get: Callable[[Any], Any]) -> str:
    """The plain value at a place as text; "" where there is none."""
    found = get(value)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
