"""`isthmus messages`: what is or was to be done, one line each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.place import Place
    from isthmus.ledger.listing import Filter
    from isthmus.ledger.types import Db

_SHOWN = 100
_CHUNK = 500

States = Annotated[list[str] | None, typer.Option("--state", help="Only this state; repeat it for more.")]
Flow = Annotated[str, typer.Option("--flow", help="Only this flow.", show_default=False)]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=0, help="At most so many; 0: all. Default: 100 for people, all with --json."),
]
Long = Annotated[bool, typer.Option("--long", help="With code, field, value, how to mend it, amount and times.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("messages")(messages)


def messages(
    state: States = None,
    flow: Flow = "",
    record: Annotated[
        str, typer.Option("--record", help="Only of the record known by this number or place.", show_default=False)
    ] = "",
    limit: Limit = None,
    long: Long = False,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Every intended effect: its record, state, reason, attempts, and when or by whom it goes on."""
    del debug
    most = limit if limit is not None else 0 if as_json else _SHOWN
    asyncio.run(_messages(place_of(project, sets), state or [], flow, record, most, long, as_json))


async def _messages(
    place: Place, states: list[str], flow: str, record: str, limit: int, long: bool, as_json: bool
) -> None:
    from isthmus.cli.reading import NOTHING_YET, open_reading
    from isthmus.ledger.listing import Filter

    wanted = Filter(states=checked_states(states), flow=flow)
    async with open_reading(place) as reading:
        check_flow(flow, reading.project.flows)
        if reading.database is None:
            if not as_json:
                say(NOTHING_YET)
            return
        async with reading.transaction() as db:
            if record:
                wanted = await _of_record(db, wanted, record)
            if as_json:
                await _write(db, wanted, limit, long)
            else:
                await _show(db, wanted, limit, long)


async def _of_record(db: Db, wanted: Filter, record: str) -> Filter:
    from msgspec import structs

    from isthmus.ledger.finding_documents import find

    hits = await find(db, record)
    record_ids = tuple(hit.record_id for hit in hits if hit.record_id is not None)
    return structs.replace(wanted, record_ids=record_ids, ids=tuple(i for hit in hits for i in hit.message_ids))


async def _write(db: Db, wanted: Filter, limit: int, long: bool) -> None:
    from isthmus.app.reports import message_details, message_line
    from isthmus.ledger.listing import each_message

    line = message_details if long else message_line
    async for row in each_message(db, wanted, limit):
        write_json(line(row))


async def _show(db: Db, wanted: Filter, limit: int, long: bool) -> None:
    from isthmus.ledger.listing import count, each_message

    rows: list[list[Any]] = []
    shown = 0
    async for row in each_message(db, wanted, limit):
        rows.append(_cells(row, long))
        shown += 1
        if len(rows) == _CHUNK:
            _table(rows, long)
            rows = []
    if rows:
        _table(rows, long)
    left = await count(db, wanted) - shown if limit and shown == limit else 0
    if left:
        say(f"{left:,} more: --limit 0 shows all of them.", style="dim")
    elif not shown:
        say("No such messages.")


def _table(rows: list[list[Any]], long: bool) -> None:
    more = ["amount", "code", "how to mend it"] if long else []
    right = (4, 6) if long else (4,)
    table(["id", "flow", "record", "state", "tries", "next", *more, "reason"], rows, right=right, states=3, keep=(0, 3))


def _cells(row: Any, long: bool) -> list[Any]:
    from isthmus.app.reports import next_step, record_name
    from isthmus.cli.output import money

    more = [money(row.amount, row.currency), row.code, row.mend] if long else []
    return [
        f"M-{row.id}", row.flow, record_name(row), row.state, row.attempts, next_step(row) or "", *more, row.reason,
    ]  # fmt: skip


def checked_states(states: list[str]) -> tuple[Any, ...]:
    """The states as given. Raises ConfigurationError for one that does not exist."""
    from isthmus.errors import ConfigurationError
    from isthmus.ledger.types import ALL_STATES

    for state in states:
        if state not in ALL_STATES:
            raise ConfigurationError(
                f"there is no state {state!r}.", code="usage", hint=f"States are {', '.join(ALL_STATES)}."
            )
    return tuple(states)


def check_flow(flow: str, known: Any) -> None:
    """Raises ConfigurationError for a flow the project does not have."""
    from isthmus.errors import ConfigurationError

    if flow and flow not in known:
        raise ConfigurationError(
            f"there is no flow {flow!r} in this project.", code="usage", hint=f"It has {', '.join(sorted(known))}."
        )
