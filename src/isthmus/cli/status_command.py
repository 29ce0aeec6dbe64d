"""`isthmus status`: one screen of how everything stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import heading, money, say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.place import Place


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(project: Project = None, sets: Sets = None, as_json: Json = False, debug: Debug = False) -> None:
    """What was delivered, what was not and why, totals, and what is in trouble."""
    del debug
    asyncio.run(_status(place_of(project, sets), as_json))


async def _status(place: Place, as_json: bool) -> None:
    from isthmus.app.reports import empty_report, status_report
    from isthmus.cli.reading import NOTHING_YET, open_reading
    from isthmus.contract.clock import SystemClock
    from isthmus.ledger.backup import backups

    async with open_reading(place) as reading:
        if reading.database is None:
            report = empty_report(reading.project.flows)
        else:
            kept = backups(reading.project.home)
            age = kept[0].age(SystemClock().now()) if kept else None
            async with reading.transaction() as db:
                report = await status_report(db, flows=reading.project.flows, backup_age=age, backups=len(kept))
    if as_json:
        write_json(report)
    elif reading.database is None:
        say(NOTHING_YET)
    else:
        print_status(report)


def print_status(report: dict[str, Any]) -> None:
    """The report for people."""
    _show_messages(report)
    _show_totals(report["totals"])
    if report["stopped"]:
        heading("What waits for a person")
        table(
            ["state", "documents", "reason", "for example"],
            [[row["state"], f"{row['count']:,}", row["reason"], row["example"]] for row in report["stopped"]],
            right=(1,), states=0, keep=(3,),
        )  # fmt: skip
        say("`isthmus trace M-…` tells the story of one; `isthmus messages --state dead` lists them.", style="dim")
    for row in report["connections"]:
        if row["halted"]:
            halted = row["halted"]
            say(f"{row['connection']} stands still since {halted['since']}: {halted['text']}", style="red")
        for trouble in row["troubles"]:
            say(f"{row['connection']}: {trouble}", style="yellow")
    for name, notes in report["write_backs"].items():
        if notes["open"]:
            say(f"{name}: {notes['open']:,} results still to be told. {notes['trouble']}".rstrip(), style="yellow")
    for name, hooks in report["webhooks"].items():
        if hooks["lost"] or hooks["trouble"]:
            polled = f"{hooks['lost']} of its webhook subscriptions are missing; it is polled" if hooks["lost"] else ""
            say(f"{name}: {polled}{'. ' if polled else ''}{hooks['trouble']}", style="yellow")
    _show_backup(report["backup"])


def _show_messages(report: dict[str, Any]) -> None:
    shown = [state for state, number in report["messages"].items() if number]
    if not shown:
        say("No messages yet.")
        return
    table(
        ["flow", *shown],
        [
            *([flow, *(f"{states[state]:,}" for state in shown)] for flow, states in report["flows"].items()),
            *(
                [["all", *(f"{report['messages'][state]:,}" for state in shown)]]
                if len(report["flows"]) > 1
                else []
            ),
        ],
        right=tuple(range(1, len(shown) + 1)), title="Messages by state",
    )  # fmt: skip


def _show_totals(totals: dict[str, Any]) -> None:
    rows = []
    for entity, total in totals.items():
        name = entity.replace("_", " ")
        if "by_currency" in total:
            rows += [
                [name, f"{part['count']:,}", money(part["amount"], currency)]
                for currency, part in total["by_currency"].items()
            ]
        else:
            rows.append([name, f"{total['count']:,}", money(total["amount"], total["currency"])])
    if rows:
        table(["entity", "records", "amount"], rows, right=(1, 2), title="Totals")


def _show_backup(backup: dict[str, Any]) -> None:
    if backup["age_hours"] is not None:
        say(f"Newest backup: {backup['age_hours']} hours old, {backup['kept']} kept.", style="dim")
