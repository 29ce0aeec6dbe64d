"""`isthmus backfill`: the past of one flow, in batches that can be paused."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import money, say, table, write_json

if TYPE_CHECKING:
    from datetime import date

    from isthmus.cli.opening import Session
    from isthmus.cli.place import Place
    from isthmus.ledger.backfills import BackfillRow, BackfillState

Id = Annotated[int | None, typer.Argument(metavar="[ID]", help="Default: the one that is open.", show_default=False)]
Deliver = Annotated[
    bool, typer.Option("--deliver/--no-deliver", help="Deliver what was posted, unless a worker serves this home.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The past of one flow by range of days, in batches: begin, pause, resume, cancel, status.")
    group.command("start")(start)
    group.command("pause")(pause)
    group.command("resume")(resume)
    group.command("cancel")(cancel)
    group.command("status")(status)
    app.add_typer(group, name="backfill")


def start(
    flow: Annotated[str, typer.Argument(metavar="FLOW")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the event, included.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the event, included.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1000, help="Records per step.")] = 100,
    post: Annotated[
        bool, typer.Option("--post", help="Book documents before the cut-over too; the sum is shown first.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count and add up; nothing is written.")] = False,
    deliver: Deliver = True,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take in what the source holds of a range of days. What is there already is left as it is."""
    del debug
    first, last = (moment.date() if moment is not None else None for moment in (since, until))
    if first is not None and last is not None and first > last:
        raise typer.BadParameter("--from is after --to")
    place = place_of(project, sets)
    raise typer.Exit(asyncio.run(_start(place, flow, first, last, batch, post, dry_run, deliver, as_json)))


def resume(
    backfill_id: Id = None,
    deliver: Deliver = True,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Go on where a paused or interrupted one stopped."""
    del debug
    raise typer.Exit(asyncio.run(_resume(place_of(project, sets), backfill_id, deliver, as_json)))


def pause(
    backfill_id: Id = None, project: Project = None, sets: Sets = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Stop after the batch that is under way; `resume` goes on from there."""
    del debug
    _show([asyncio.run(_set(place_of(project, sets), backfill_id, "paused"))], as_json)


def cancel(
    backfill_id: Id = None, project: Project = None, sets: Sets = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Stop for good. What was taken in or posted stays."""
    del debug
    _show([asyncio.run(_set(place_of(project, sets), backfill_id, "cancelled"))], as_json)


def status(
    backfill_id: Annotated[int | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """How far each backfill is."""
    del debug
    rows = asyncio.run(_rows(place_of(project, sets)))
    _show([row for row in rows if backfill_id in {None, row.id}], as_json)


async def _start(
    place: Any, flow: str, since: date | None, until: date | None, batch: int, post: bool, dry_run: bool,
    deliver: bool, as_json: bool,
) -> int:  # fmt: skip
    from isthmus.app import backfilling
    from isthmus.cli.opening import open_session
    from isthmus.sync.backfill import rehearse

    async with open_session(place, jumps=True) as session:
        await session.refuse_changed_environment()
        if post or dry_run:  # what would be booked is shown before anything is
            prepared = backfilling.prepare(session.runtime, flow, since, until, post=post)
            told = backfilling.rehearsal_line(flow, await rehearse(prepared, batch=batch))
            if dry_run and as_json:
                write_json(told)
            elif not as_json:
                _show_rehearsal(told, dry_run)
        if dry_run:
            return 0
        backfilling.prepare(session.runtime, flow, since, until, post=post)
        backfill_id = await backfilling.begin(session.runtime, flow, since, until, batch, post)
        return await _work(session, backfill_id, deliver, as_json)


async def _resume(place: Any, backfill_id: int | None, deliver: bool, as_json: bool) -> int:
    from isthmus.app import backfilling
    from isthmus.cli.opening import open_session

    async with open_session(place, jumps=True) as session:
        await session.refuse_changed_environment()
        async with session.runtime.world.transaction() as db:
            row = await backfilling.require(db, backfill_id)
        return await _work(session, row.id, deliver, as_json)


async def _work(session: Session, backfill_id: int, deliver: bool, as_json: bool) -> int:
    from isthmus.app import acting, backfilling
    from isthmus.cli.counting import show_count
    from isthmus.cli.progress import show_progress

    with show_count("records of the range", None, quiet=as_json) as count:
        await backfilling.work(session.runtime, backfill_id, lambda row: count(row.seen))
    world = session.runtime.world
    async with world.transaction() as db:
        row = await backfilling.require(db, backfill_id)
    standing = None
    if row.post and row.made and deliver:
        with show_progress(quiet=as_json) as progress:
            standing = await acting.deliver(session.runtime, simulated=session.simulated, progress=progress)
    _show([row], as_json)
    if standing is not None and standing.troubled:
        for name, trouble in standing.troubled.items():
            say(f"{name}: {trouble}", style="red", error=True)
        return 3
    return 2 if row.post and await _stopped(session, row) else 0


async def _stopped(session: Session, row: BackfillRow) -> bool:
    """Whether messages of the flow wait for a person."""
    from isthmus.ledger.listing import Filter, count
    from isthmus.ledger.types import STOPPED_STATES

    async with session.runtime.world.transaction() as db:
        return await count(db, Filter(states=STOPPED_STATES, flow=row.flow)) > 0


async def _set(place: Place, backfill_id: int | None, state: BackfillState) -> BackfillRow:
    from isthmus.app import backfilling
    from isthmus.cli.reading import open_reading
    from isthmus.contract.clock import SystemClock

    async with open_reading(place) as reading, reading.transaction() as db:
        row = await backfilling.require(db, backfill_id)
        await backfilling.change_state(db, row, state, SystemClock().now())
        return await backfilling.require(db, row.id)


async def _rows(place: Place) -> list[BackfillRow]:
    from isthmus.cli.reading import open_reading
    from isthmus.ledger.backfills import all_rows

    async with open_reading(place) as reading:
        if reading.database is None:
            return []
        async with reading.transaction() as db:
            return await all_rows(db)


def _show(rows: list[BackfillRow], as_json: bool) -> None:
    from isthmus.app.backfilling import line

    told = [line(row) for row in rows]
    if as_json:
        for row in told:
            write_json(row)
    elif told:
        cells = [
            [row["id"], row["flow"], f"{row['from'] or '…'} to {row['to'] or '…'}", row["state"],
             "yes" if row["post"] else "no", f"{row['seen']:,}", f"{row['made']:,}", f"{row['skipped']:,}"]
            for row in told
        ]  # fmt: skip
        table(["id", "flow", "days", "state", "posts", "seen", "made", "left alone"], cells, right=(5, 6, 7), keep=(2,))
    else:
        say("There was no backfill yet.")


def _show_rehearsal(told: dict[str, Any], dry_run: bool) -> None:
    say(
        f"{told['flow']}: {told['seen']:,} records in the range; {told['made']:,} would be taken in or decided anew, "
        f"{told['skipped']:,} are there and would be left alone."
    )
    worth = ", ".join(money(part["amount"], part["currency"]) for part in told["worth"])
    say(f"  the range comes to {worth or 'nothing'}")
    for part in told["amounts"]:
        number = told["messages"].get(part["state"], 0)
        say(f"  {number:,} would be {part['state']}: {money(part['amount'], part['currency'])}")
    if dry_run:
        say("Nothing was written.", style="dim")
