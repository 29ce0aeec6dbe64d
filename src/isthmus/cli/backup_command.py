"""`isthmus backup` and `isthmus restore`: the whole ledger in one file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)


def backup_command(
    target: Annotated[Path | None, typer.Argument(help="File to write; default: a dated one in the home.")] = None,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the ledger to one file while everything goes on. Safe to repeat."""
    del debug
    from isthmus.contract.clock import SystemClock
    from isthmus.ledger.backup import backup
    from isthmus.ledger.database import open_database
    from isthmus.ledger.migrate import ensure_current

    loaded = place_of(project, sets).load()
    clock = SystemClock()
    database = open_database(loaded.home, os.environ.get("DATABASE_URL") or None, clock=clock)
    try:
        ensure_current(database)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        info = backup(database, target or loaded.home / "backups" / f"ledger-{stamp}.dump")
    finally:
        database.close()
    if as_json:
        write_json({"file": str(info.path), "bytes": info.size_bytes, "taken_at": info.taken_at})
    else:
        say(f"{info.path}: {info.size_bytes:,} bytes, taken {info.taken_at:%Y-%m-%d %H:%M:%S} UTC")


def restore_command(
    source: Annotated[Path, typer.Argument(help="File that `isthmus backup` wrote.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put a backup in the ledger's place. What was sent since is looked up before anything is sent again."""
    del debug
    from isthmus.cli.simulation import start_simulation
    from isthmus.ledger.backup import restore
    from isthmus.ledger.database import open_database
    from isthmus.ledger.migrate import ensure_current

    loaded = place_of(project, sets).load()
    simulation = start_simulation(loaded)
    try:
        clock = simulation.clock(jumps=False)
        database = open_database(loaded.home, os.environ.get("DATABASE_URL") or None, clock=clock)
        try:
            ensure_current(database)
            info = restore(database, source)
        finally:
            database.close()
    finally:
        simulation.stop()
    if as_json:
        write_json({"epoch": info.epoch, "looked_up": info.uncertain})
    else:
        say(f"Restored; epoch {info.epoch}. {info.uncertain:,} messages are looked up before anything is sent.")
