"""What all parts of one compilation share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.mapping.context import NativeInfo
from isthmus.mapping.problems import Problem
from isthmus.mapping.tables import LookupTable

Natives = Mapping[str, NativeInfo]


@dataclass(slots=True)
class Surroundings:
    """Known tables (None = unknown), the direction of the flow, and the problems found so far."""

    tables: Mapping[str, LookupTable] | None
    two_way: bool
    way: str
    problems: list[Problem]
    file: str
