"""Options every command shares, and the place they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.place import Place, remember

PROJECT_FILE = "isthmus.yaml"

Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help="Project folder; default: this folder or the nearest one above with isthmus.yaml.",
        show_default=False,
    ),
]  # fmt: skip
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Value of a project variable; repeat it for more."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, one object per line; errors too, on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the full traceback of an unexpected error.")]


def place_of(project: Path | None, sets: list[str] | None) -> Place:
    """Where a command works. Raises ConfigurationError for a wrong --set."""
    place = Place(project if project is not None else nearest_project(Path.cwd()), values_of(sets or []))
    remember(place)
    return place


def nearest_project(start: Path) -> Path:
    """`start` or the nearest folder above it that holds isthmus.yaml; `start` when none does."""
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), start)


def values_of(sets: list[str]) -> dict[str, str]:
    """`name=value` pairs. Raises ConfigurationError for anything else."""
    from isthmus.errors import ConfigurationError

    values = {}
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ConfigurationError(
                f"--set {name.strip() or '…'}: no value is given.", code="usage", hint="Write --set NAME=VALUE."
            )
        values[name.strip()] = value
    return values
