"""`isthmus backup` and `isthmus restore`: the whole ledger in one file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json

if TYPE_CHECKING:
    from isthmus.contract.clock import Clock
    from isthmus.ledger.backup import RestoreInfo


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
    new_cluster: Annotated[
        bool,
        typer.Option(
            "--new-cluster", help="Make a new embedded server; the old data folder, unreadable, is set aside."
        ),
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Keep no copy of the ledger that is replaced: it cannot be read.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put a backup in the ledger's place. What was sent since is looked up before anything is sent again."""
    del debug
    from isthmus.cli.simulation import start_simulation

    loaded = place_of(project, sets).load()
    simulation = start_simulation(loaded)
    try:
        clock = simulation.clock(jumps=False)
        if new_cluster:
            info = _into_new_cluster(loaded.home, source, clock)
        else:
            info = _into_ledger(loaded.home, source, clock, discard=discard)
    finally:
        simulation.stop()
    if as_json:
        write_json(
            {"epoch": info.epoch, "looked_up": info.uncertain, "kept": str(info.kept.path) if info.kept else None}
        )
        return
    say(f"Restored; epoch {info.epoch}. {info.uncertain:,} messages are looked up before anything is sent.")
    if info.kept is not None:
        say(f"The ledger that was replaced is kept in {info.kept.path}: delete it when you no longer want it.")


def _into_ledger(home: Path, source: Path, clock: Clock, *, discard: bool) -> RestoreInfo:
    from isthmus.contract.clock import SystemClock
    from isthmus.ledger.backup import replaced, restore
    from isthmus.ledger.database import open_database
    from isthmus.ledger.migrate import ensure_current

    database = open_database(home, os.environ.get("DATABASE_URL") or None, clock=clock)
    try:
        ensure_current(database)
        return restore(database, source, keep=None if discard else replaced(home, SystemClock().now()))
    finally:
        database.close()


def _into_new_cluster(home: Path, source: Path, clock: Clock) -> RestoreInfo:
    from isthmus.errors import ConfigurationError
    from isthmus.ledger.backup import restore_into_new_cluster

    if os.environ.get("DATABASE_URL"):
        raise ConfigurationError(
            "--new-cluster makes an embedded server, but DATABASE_URL names one of your own.",
            hint="Restore without --new-cluster, or unset DATABASE_URL.",
        )
    return restore_into_new_cluster(home, source, clock)
