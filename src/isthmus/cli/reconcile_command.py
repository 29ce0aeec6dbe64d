"""`isthmus reconcile`: source, hub and target side by side, both systems read afresh."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.messages_command import check_flow
from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import money, say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.opening import Session
    from isthmus.sync.reconcile import Reconciled

_DRIFT_SHOWN = 50
_KINDS = {
    "not_booked": "not booked",
    "not_in_source": "no longer in the source",
    "amount_differs": "amount differs",
    "not_in_hub": "not made by us",
    "fields_differ": "fields differ",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile)


def reconcile(
    flow: Annotated[str, typer.Option("--flow", help="Only this flow.", show_default=False)] = "",
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare source and target document by document. Exit 2 when they do not agree; writes nothing."""
    del debug
    raise typer.Exit(asyncio.run(_reconcile(place_of(project, sets), flow, as_json)))


async def _reconcile(place: Any, flow: str, as_json: bool) -> int:
    from isthmus.app.reports import reconciled_line
    from isthmus.cli.counting import show_count
    from isthmus.cli.opening import open_session

    async with open_session(place) as session:
        check_flow(flow, session.project.flows)
        with show_count("reading both sides", None, quiet=as_json):
            rows = await _compared(session, flow)
    if as_json:
        for row in rows:
            write_json(reconciled_line(row))
    else:
        _show(rows)
    return 0 if all(row.agrees for row in rows) else 2


async def _compared(session: Session, flow: str) -> list[Reconciled]:
    from isthmus.sync.reconcile import reconcile as compare
    from isthmus.sync.reconcile_goods import reconcile_goods
    from isthmus.sync.reconcile_kept import reconcile_kept
    from isthmus.sync.world import FlowSpec, KeepSpec

    world = session.runtime.world
    rows: list[Reconciled] = []
    for one in world.flows:
        if flow in {"", one.name} and isinstance(one, FlowSpec):
            rows += await (compare(world, one) if one.worth is not None else reconcile_goods(world, one))
        elif flow in {"", one.name} and isinstance(one, KeepSpec):
            rows += await reconcile_kept(world, one)
    return rows


def _show(rows: list[Reconciled]) -> None:
    if not rows:
        say("There is nothing to compare yet: run `isthmus sync`.")
        return
    table(
        ["flow", "company", *(f"{side} {what}" for side in ("source", "hub", "target") for what in ("", "amount")),
         "difference", "rounding"],
        [
            [row.flow, row.company,
             *(cell for side in (row.source, row.hub, row.target)
               for cell in (f"{side['count']:,}", money(str(side["amount"]), row.currency))),
             money(row.difference, row.currency), money(row.rounding, row.currency)]
            for row in rows
        ],
        right=tuple(range(2, 10)),
    )  # fmt: skip
    for row in rows:
        _show_drift(row)
        if row.unreadable:
            say(
                f"{row.flow}: {row.unreadable:,} records of the source cannot be read and are in no sum; "
                "`isthmus messages --state dead` names them.",
                style="yellow",
            )
    if all(row.agrees for row in rows):
        say("Source and target agree.", style="green")


def _show_drift(row: Reconciled) -> None:
    if not row.drift:
        return
    cells = [
        [
            _KINDS[found.kind],
            found.number,
            found.place,
            money(found.source, row.currency),
            money(found.target, row.currency),
            found.state,
            found.reason,
        ]
        for found in row.drift[:_DRIFT_SHOWN]
    ]
    head = ["difference", "document", "record", "source", "target", "state", "reason"]
    table(head, cells, right=(3, 4), states=5, title=f"{len(row.drift):,} differences of {row.flow}, {row.company}")
    if len(row.drift) > _DRIFT_SHOWN:
        say(f"{len(row.drift) - _DRIFT_SHOWN:,} more: --json lists all of them.", style="dim")
