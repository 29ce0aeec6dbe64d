"""`isthmus init`: a project to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import Debug, Json
from isthmus.cli.output import say, write_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    kind: Annotated[
        str, typer.Option("--kind", help="sandbox (runs at once) or files-business-central (for your systems).")
    ] = "sandbox",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a commented project that runs, or that waits for your addresses."""
    del debug
    from isthmus.app.skeletons.writing import write_skeleton

    written = write_skeleton(folder, kind)
    if as_json:
        write_json({"folder": str(folder), "files": [path.relative_to(folder).as_posix() for path in written]})
        return
    for path in written:
        say(f"wrote {path}")
    say(f"Next: isthmus check --project {folder}")
