"""`isthmus sandbox`: the simulators alone."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    project: Project = None,
    sets: Sets = None,
    seed: Annotated[
        Path | None, typer.Option("--seed", help="Run this seed instead of a project's simulators.")
    ] = None,
    home: Annotated[Path | None, typer.Option("--home", help="With --seed: where the books are kept.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --seed: port; 0: a free one.")] = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the simulators in the foreground until Ctrl-C; their books are kept for the next time."""
    del debug
    from isthmus.cli.simulation import start_simulation
    from isthmus.sandbox.server import start_process

    if seed is not None:
        boxes = {seed.stem: start_process(home or Path(".isthmus-sandbox"), seed, port=port)}
    else:
        boxes = start_simulation(place_of(project, sets).load()).boxes
    for name, box in boxes.items():
        if as_json:
            write_json({"connection": name, "url": box.url, "ca": str(box.ca), "dev": f"{box.url}/_sandbox/"})
        else:
            say(f"{name}: {box.url} (CA {box.ca}), developer API {box.url}/_sandbox/")
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    told.wait()
    for box in boxes.values():
        box.stop()
