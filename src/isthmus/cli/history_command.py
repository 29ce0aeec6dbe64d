"""`isthmus history`: the turns that did something: what was seen, made, skipped, and how long it took."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.place import Place
    from isthmus.ledger.history import TurnRow

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many turns, newest first.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history)


def history(
    project: Project = None, sets: Sets = None, limit: Limit = 20, as_json: Json = False, debug: Debug = False
) -> None:
    """What each stretch of work counted, newest first: records seen and changed, messages sent and booked, seconds."""
    del debug
    asyncio.run(_history(place_of(project, sets), limit, as_json))


async def _history(place: Place, limit: int, as_json: bool) -> None:
    from isthmus.cli.reading import NOTHING_YET, open_reading
    from isthmus.ledger.history import recent_turns

    turns: list[TurnRow] = []
    async with open_reading(place) as reading:
        if reading.database is not None:
            async with reading.transaction() as db:
                turns = await recent_turns(db, limit)
    if as_json:
        for turn in turns:
            write_json(
                {
                    "connection": turn.connection,
                    "started_at": turn.started_at,
                    "seconds": f"{(turn.ended_at - turn.started_at).total_seconds():.3f}",
                    "counts": dict(turn.counts),
                }
            )
    elif not turns:
        say(NOTHING_YET)
    else:
        rows = [
            [
                f"{turn.started_at:%Y-%m-%d %H:%M:%S}",
                turn.connection,
                f"{(turn.ended_at - turn.started_at).total_seconds():.1f} s",
                ", ".join(f"{number:,} {what}" for what, number in sorted(turn.counts.items())),
            ]
            for turn in turns
        ]
        table(["started (UTC)", "connection", "took", "what"], rows, right=(2,))
