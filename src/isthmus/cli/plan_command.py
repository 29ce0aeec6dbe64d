"""`isthmus plan`: what the next sync would do; nothing is written."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import money, say, table, write_json

Items = Annotated[
    int, typer.Option("--items", min=0, help="Show at most this many documents one by one, with all their fields.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(plan)


def plan(
    project: Project = None, sets: Sets = None, items: Items = 10, as_json: Json = False, debug: Debug = False
) -> None:
    """Every create and skip the next sync would make, with sums, calls and time. Writes nothing, here or outside."""
    del debug
    raise typer.Exit(asyncio.run(_plan(place_of(project, sets), items, as_json)))


async def _plan(place: Any, items: int, as_json: bool) -> int:
    import msgspec

    from isthmus.cli.opening import open_session
    from isthmus.sync.plan import make_plan

    async with open_session(place) as session:
        made = await make_plan(session.runtime.world, most_items=items)
    if as_json:
        write_json(
            {
                "totals": [total.row() for total in made.totals],
                "items": [msgspec.to_builtins(item) for item in made.items],
                "items_left_out": made.truncated,
                "requests": made.requests,
                "seconds": made.seconds,
                "troubles": made.troubles,
            }
        )
    else:
        show_plan(made)
    return 3 if made.troubles else 0


def show_plan(made: Any) -> None:
    """The plan as people read it."""
    rows = [[total.flow, total.state, f"{total.count:,}", money(total.amount, total.currency)] for total in made.totals]
    table(["flow", "would be", "documents", "amount"], rows, right=(2, 3))
    for item in made.items:
        words = f"{item.subject}: {item.state} {item.number} {money(item.amount, item.currency)} ({item.decided})"
        say(f"{words} {item.reason}".rstrip())
        for line in item.fields.get("lines", []):
            say(_line(line).rstrip())
    if made.truncated:
        say(f"… and {made.truncated:,} more; --items shows them")
    say(f"about {made.requests:,} requests at the target, at least {made.seconds} s by its quota; nothing was written")
    for trouble in made.troubles:
        say(trouble, style="red", error=True)


def _line(line: dict[str, Any]) -> str:
    """A line of a document: what is charged, or what is bought or received and how much of it."""
    amount = money(line["amount"]) if line.get("amount") else ""
    quantity = line.get("accepted", line.get("quantity"))
    if quantity is None:
        dimensions = " ".join(f"{code}={value}" for code, value in sorted(line.get("dimensions", {}).items()))
        return f"    {line.get('account', ''):>10}  {amount:>14}  {dimensions}"
    what = line.get("item") or line.get("account") or line.get("order_line") or ""
    return f"    {what:>10}  {quantity:>10} {line.get('unit') or '':<6} {amount:>14}"
