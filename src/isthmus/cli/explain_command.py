"""`isthmus explain`: how one record becomes what it becomes, field by field."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import heading, money, say, table, write_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="work_order, account …")],
    native_id: Annotated[str, typer.Argument(metavar="[ID]", help="The id its system gives it.")] = "",
    line: Annotated[int | None, typer.Option("--line", min=1, help="Instead of the id: its line in the file.")] = None,
    connection: Annotated[
        str, typer.Option("--connection", help="Where to read it, if several show it.", show_default=False)
    ] = "",
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read one record afresh and show every step of its mapping, and which posting rule decides and why."""
    del debug
    if bool(native_id) == (line is not None):
        raise typer.BadParameter("give either an ID or --line")
    found = asyncio.run(_explain(place_of(project, sets), entity, native_id, line, connection))
    if as_json:
        write_json(found)
    else:
        _show(found)


async def _explain(place: Any, entity: str, native_id: str, line: int | None, connection: str) -> dict[str, Any]:
    from isthmus.app.explaining import explain_record
    from isthmus.cli.opening import open_session

    async with open_session(place) as session:
        world = session.runtime.world
        return await explain_record(
            world, session.project, entity, native_id=native_id, line=line, connection=connection
        )  # fmt: skip


def _show(found: dict[str, Any]) -> None:
    heading(f"{found['entity'].replace('_', ' ')} {found['id']} of {found['connection']}  {found['place']}")
    if found["problem"]:
        say(found["problem"], style="red")
        return
    rows = []
    for field in found["fields"]:
        steps = " > ".join(f"{step['step']}: {step['value']}" for step in field["steps"]) or field["rule"]
        shown = "(absent)" if field["result"] is None else field["result"]
        rows.append([field["field"], field["source"], _or(field["found"], ""), steps, shown, field["place"]])
    table(["field", "from", "found", "steps", "result", "rule at"], rows)
    told = {finding["text"]: finding["mend"] for field in found["fields"] for finding in field["findings"]}
    for text, mend in told.items():
        say(f"{text} {mend}".strip(), style="red")
    for flow in found["flows"]:
        _show_flow(flow, set(told))


def _show_flow(flow: dict[str, Any], told: set[str]) -> None:
    heading(f"Flow {flow['flow']}")
    if flow["condition"] is False:
        say("  Its condition is not fulfilled: nothing is done.")
        return
    say(f"  company {flow['company'] or '(none)'}, day of the event {_or(flow['event_on'], '(none)')}")
    for posting in flow["postings"]:
        say(f"  cost line {posting['line']} of {money(posting['amount'])}: {posting['why']}")
    for line in (flow["document"] or {}).get("lines", ()):
        dimensions = " ".join(f"{code}={value}" for code, value in sorted(line.get("dimensions", {}).items()))
        say(f"    {line['account']:>10}  {line['amount']:>14}  {dimensions}".rstrip())
    for finding in flow["findings"]:
        if finding["text"] not in told:
            style = "red" if finding["severity"] == "error" else "yellow"
            say(f"  {finding['severity']}: {finding['text']} {finding['mend']}".rstrip(), style=style)


def _or(value: Any, otherwise: str) -> str:
    return otherwise if value is None else str(value)
