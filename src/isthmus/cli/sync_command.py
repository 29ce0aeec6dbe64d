"""`isthmus sync`: read every source once more, deliver what can be delivered, tell how it stands."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sync")(sync)


def sync(
    project: Project = None,
    sets: Sets = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Go on until nothing moves by itself any more (default).")
    ] = True,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Stop after this many seconds; 0: no limit.")] = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read every source once more and deliver until nothing is left that moves by itself."""
    del until_idle, debug
    raise typer.Exit(asyncio.run(_sync(place_of(project, sets), limit, as_json)))


async def _sync(place: Any, limit: int, as_json: bool) -> int:
    from isthmus.app.reports import status_report
    from isthmus.cli.opening import open_session
    from isthmus.cli.progress import show_progress
    from isthmus.cli.status_command import print_status

    async with open_session(place, jumps=True) as session:
        await session.refuse_changed_environment()
        with show_progress(quiet=as_json) as progress:
            standing = await session.runtime.until_idle(
                simulated=session.simulated, limit=timedelta(seconds=limit) if limit else None, progress=progress
            )
        async with session.runtime.world.transaction() as db:
            report = await status_report(db)
        if as_json:
            write_json(report)
        else:
            print_status(report)
        for name, trouble in standing.troubled.items():
            say(f"{name}: {trouble}", style="red", error=True)
        if standing.troubled:
            ended = session.runtime.engine.results
            ours = {name for name in standing.troubled if name in ended and ended[name].misconfigured}
            return 1 if ours and not standing.lost - ours else 3
        stopped = sum(report["messages"].get(state, 0) for state in ("dead", "held", "waiting", "uncertain"))
        return 2 if stopped or standing.pending else 0
