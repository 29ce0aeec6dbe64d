"""Where a command works. Light: what reading a project needs is imported when it is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from isthmus.app.project.project import Project


class Place(Struct, frozen=True):
    """The project folder and the variables set on the command line."""

    folder: Path
    sets: Mapping[str, str]

    def load(self) -> Project:
        """The project. Raises ConfigurationError with file and line."""
        from isthmus.app.project.loading import load_project

        return load_project(self.folder, sets=self.sets, environ=os.environ, cwd=Path.cwd())


_last: list[Place] = []


def remember(place: Place) -> None:
    """Keep where this process works, for the log of an unexpected error."""
    _last[:] = [place]


def last_home() -> Path | None:
    """The home of the place remembered, if it can be found and is there."""
    from isthmus.errors import IsthmusError

    try:
        home = _last[0].load().home if _last else None
    except (IsthmusError, OSError):
        return None
    return home if home is not None and home.is_dir() else None
