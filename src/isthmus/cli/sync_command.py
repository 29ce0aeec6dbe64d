"""`isthmus sync`: read every source once more, deliver what can be delivered, tell how it stands."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json

if TYPE_CHECKING:
    from datetime import datetime

    from isthmus.cli.opening import Session


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
        began = session.clock.now()
        with show_progress(quiet=as_json) as progress:
            standing = await session.runtime.until_idle(
                simulated=session.simulated, limit=timedelta(seconds=limit) if limit else None, progress=progress
            )
        async with session.runtime.world.transaction() as db:
            report = await status_report(db)
        report["used"] = _used(session, began)
        if as_json:
            write_json(report)
        else:
            print_status(report)
            _show_used(report["used"])
        for name, trouble in standing.troubled.items():
            say(f"{name}: {trouble}", style="red", error=True)
        if standing.troubled:
            ended = session.runtime.engine.results
            ours = {name for name in standing.troubled if name in ended and ended[name].misconfigured}
            return 1 if ours and not standing.lost - ours else 3
        stopped = sum(report["messages"].get(state, 0) for state in ("dead", "held", "waiting", "uncertain"))
        return 2 if stopped or standing.pending else 0


def _used(session: Session, began: datetime) -> dict[str, Any]:
    """What this run took: time of the clock it worked by, and calls of each connection that makes any."""
    return {
        "seconds": round((session.clock.now() - began).total_seconds()),
        "simulated": session.simulated,
        "connections": {
            name: {
                "requests": connector.traffic.requests,
                "writes": connector.traffic.writes,
                "throttled": connector.traffic.throttled,
            }
            for name, connector in session.runtime.connectors.items()
            if connector.traffic.requests
        },
    }


def _show_used(used: dict[str, Any]) -> None:
    if not used["connections"]:
        return
    minutes, seconds = divmod(used["seconds"], 60)
    time = f"{minutes}:{seconds:02} of simulated time" if used["simulated"] else f"{minutes}:{seconds:02}"
    calls = "; ".join(
        f"{name} {found['requests']:,} requests, {found['writes']:,} of them writing"
        + (f", throttled {found['throttled']:,} times" if found["throttled"] else "")
        for name, found in used["connections"].items()
    )
    say(f"{time}. {calls}.", style="dim")
