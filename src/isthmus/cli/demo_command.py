"""`isthmus demo`: the product's main job on the example, from reading a file to control totals."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets
from isthmus.cli.output import say, table, write_json

_EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "real-data"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    project: Project = None,
    sets: Sets = None,
    check: Annotated[
        bool, typer.Option("--check", help="Run alone in a home of its own; exit 0 if all agrees.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Costs of a mine's work orders into Business Central (simulated): check, plan, sync, again, trace, totals."""
    del debug
    if not check:
        raise typer.Exit(asyncio.run(_story(_place(project, sets), as_json, leave_up=True)))
    with tempfile.TemporaryDirectory(prefix="isthmus-demo-", ignore_cleanup_errors=True) as home:
        os.environ["ISTHMUS_HOME"] = home
        raise typer.Exit(asyncio.run(_story(_place(project, sets), as_json, leave_up=False)))


def _place(project: Path | None, sets: list[str] | None) -> Any:
    from isthmus.cli.options import place_of
    from isthmus.errors import ConfigurationError

    if project is None and not _EXAMPLE.is_dir():
        raise ConfigurationError(
            "the example is not installed with the package.",
            hint="Write a project with `isthmus init demo` and give it with --project demo.",
        )
    return place_of(project or _EXAMPLE, sets)


async def _story(place: Any, as_json: bool, *, leave_up: bool) -> int:
    from isthmus.cli.opening import open_session

    quiet = as_json
    async with open_session(place, jumps=True, keep_simulators=leave_up) as session:
        await session.refuse_changed_environment()
        await _look(session, quiet)
        await _work(session, quiet)
        rows = await _totals(session)
        differs = not rows or any(Decimal(row["difference"]) or row["documents_differ"] for row in rows)
        await _show_totals(session, rows, as_json)
    if leave_up:
        _leave_up(place, quiet)
    return 2 if differs else 0


async def _look(session: Any, quiet: bool) -> None:
    """Before anything moves: what is wrong, and what would happen."""
    from isthmus.app.checking import check_world
    from isthmus.cli.plan_command import show_plan
    from isthmus.sync.plan import make_plan

    found = await check_world(session.project, session.runtime.world)
    if quiet:
        return
    say("1. Check: systems, rights, mappings, posting rules", style="bold")
    for item in found:
        say(f"   {item.finding.severity}: {item.finding.text}")
    say("2. Plan: what would happen; nothing is written", style="bold")
    show_plan(await make_plan(session.runtime.world, most_items=2))


async def _work(session: Any, quiet: bool) -> None:
    """Book everything, then prove that doing it again writes nothing."""
    from isthmus.cli.progress import show_progress

    for number, title in ((3, "Sync: every completed work order becomes one booked journal"), (4, "Sync again")):
        before = _writes(session)
        with show_progress(quiet=quiet) as progress:
            await session.runtime.until_idle(simulated=True, progress=progress)
        if not quiet:
            say(f"{number}. {title}: {_writes(session) - before:,} writing calls", style="bold")


def _writes(session: Any) -> int:
    return sum(int(box.calls()["writes"]) for box in session.simulation.boxes.values())


async def _totals(session: Any) -> list[dict[str, Any]]:
    """Source and hub by reconciliation; the G/L straight from the simulator's own books."""
    from isthmus.sync.reconcile import reconcile

    rows = []
    for flow in session.runtime.world.flows:
        box = session.simulation.boxes[flow.target]
        for found in await reconcile(session.runtime.world, flow):
            books = box.books(found.company)
            booked = sum((Decimal(books["accounts"].get(a, "0")) for a in flow.control.accounts), Decimal(0))
            source, hub = Decimal(str(found.source["amount"])), Decimal(str(found.hub["amount"]))
            counts = {int(str(found.source["count"])), int(str(found.hub["count"])), int(books["documents"])}
            rows.append(
                {
                    "company": found.company,
                    "currency": found.currency,
                    "source": {"count": found.source["count"], "amount": f"{source:.2f}"},
                    "hub": {"count": found.hub["count"], "amount": f"{hub:.2f}"},
                    "ledger": {"count": books["documents"], "amount": f"{booked:.2f}"},
                    "difference": f"{max(abs(source - booked), abs(hub - booked)):.2f}",
                    "documents_differ": len(counts) > 1,
                }
            )
    return rows


async def _show_totals(session: Any, rows: list[dict[str, Any]], as_json: bool) -> None:
    from isthmus.app.reports import status_report

    if as_json:
        for row in rows:
            write_json(row)
        return
    say("5. Control totals: source and target read afresh", style="bold")
    sides = {"source": "source", "hub": "hub", "ledger": "G/L"}
    table(
        ["company", *(f"{name}: {what}" for name in sides.values() for what in ("documents", "amount")), "difference"],
        [
            [
                row["company"],
                *(
                    text
                    for side in sides
                    for text in (f"{row[side]['count']:,}", f"{Decimal(row[side]['amount']):,.2f} {row['currency']}")
                ),
                row["difference"],
            ]
            for row in rows
        ],
        right=tuple(range(1, 8)),
    )
    async with session.runtime.world.transaction() as db:
        report = await status_report(db)
        from isthmus.ledger.listing import stopped

        for message in await stopped(db, limit=5):
            say(f"   M-{message.id} {message.state}: {message.reason} {message.mend}", style="yellow")
    say("   messages: " + ", ".join(f"{count:,} {state}" for state, count in report["messages"].items() if count))


def _leave_up(place: Any, quiet: bool) -> None:
    """A worker and the simulators stay up, so that one can edit the file and watch."""
    from isthmus.app.serving import server_of

    loaded = place.load()
    if server_of(loaded.home) is None:
        _start_server(loaded.folder, loaded.home, place.sets)
    if not quiet:
        where = f"--project {_near(loaded.folder)}"
        program = "isthmus" if shutil.which("isthmus") else _near(Path(sys.executable).parent / "isthmus")
        say("A worker and the simulator stay up. Edit the file and watch, or look around:", style="bold")
        for words in ("status", "messages --state dead", "trace work_orders.csv:2", "reconcile", "down"):
            say(f"   {program} {words} {where}")


def _start_server(folder: Path, home: Path, sets: Mapping[str, str]) -> None:
    """`isthmus up` in a session of its own; returns when it says that it is up, or that it cannot be."""
    command = [sys.executable, "-m", "isthmus.cli.main", "up", "--project", str(folder), "--port", "0", "--json"]
    command += [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    with (home / "up.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    if server.stdout is not None and not server.stdout.readline():
        say(f"the worker did not come up: {home / 'up.log'} says why", style="red", error=True)


def _near(path: Path) -> str:
    """The path as one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
