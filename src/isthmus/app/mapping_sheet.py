"""The mapping sheet of a project: every field with its source, its target and what happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isthmus.app.project.project import Project
from isthmus.app.wiring import compile_lenses
from isthmus.mapping import sheets

COLUMNS = ("connection", "entity", "native", *sheets.COLUMNS)


def rows(project: Project) -> Iterator[tuple[Any, ...]]:
    """One row per rule of every lens, in the order of `COLUMNS`. Raises ConfigurationError for a lens with mistakes."""
    for connection in project.connections:
        for entity, (lens, _) in compile_lenses(project, connection).items():
            for row in lens.sheet():
                yield (connection, entity, lens.native, *(getattr(row, name) for name in sheets.COLUMNS))
