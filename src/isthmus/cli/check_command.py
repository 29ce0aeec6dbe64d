"""`isthmus check`: what would fail later, found now."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json

Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", help="Take the environment behind this connection as the right one from now on."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    project: Project = None, sets: Sets = None, accept: Accept = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Reach, rights, mappings against the live fields, posting rules against the live chart. Writes nothing outside."""
    del debug
    raise typer.Exit(asyncio.run(_check(place_of(project, sets), accept or [], as_json)))


async def _check(place: Any, accept: list[str], as_json: bool) -> int:
    from isthmus.app.checking import check_world, without_duplicates
    from isthmus.cli.opening import open_session

    async with open_session(place) as session:
        found = without_duplicates(await check_world(session.project, session.runtime.world, accept=accept))
    for item in found:
        if as_json:
            write_json({"about": item.about, **_row(item.finding)})
        else:
            _show(item)
    errors = [item for item in found if item.finding.severity == "error"]
    if not as_json:
        say(f"{len(errors)} to mend, {len(found) - len(errors)} notices" if found else "Everything is in place.")
    if any(item.unreachable for item in found):
        return 3
    return 1 if errors else 0


def _row(finding: Any) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in finding.__struct_fields__}


def _show(item: Any) -> None:
    finding = item.finding
    style = "red" if finding.severity == "error" else "yellow" if finding.severity in {"hold", "wait"} else ""
    text = finding.text if finding.text.endswith((".", "?", "!")) or not finding.mend else f"{finding.text}."
    say(f"{item.about}: {text} {finding.mend}".rstrip(), style=style)
