"""`isthmus retry`, `skip` and `correct`: what people do with messages that stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.messages_command import check_flow, checked_states
from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import money, say, table, write_json

if TYPE_CHECKING:
    from isthmus.app.acting import Became
    from isthmus.cli.opening import Session
    from isthmus.sync.act import Acted

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Messages, M-12 or 12.")]
State = Annotated[list[str] | None, typer.Option("--state", help="All messages in this state: dead or held.")]
Flow = Annotated[str, typer.Option("--flow", help="Of these, only this flow's.", show_default=False)]
Code = Annotated[str, typer.Option("--code", help="Of these, only those stopped by this finding.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All dead and held messages.")]
Deliver = Annotated[
    bool, typer.Option("--deliver/--no-deliver", help="Deliver at once, unless a worker serves this home anyway.")
]
Progress = Callable[[int], None]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("retry")(retry)
    app.command("skip")(skip)
    app.command("correct")(correct)


def retry(
    ids: Ids = None,
    state: State = None,
    flow: Flow = "",
    code: Code = "",
    everything: All = False,
    deliver: Deliver = True,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Decide stopped messages anew, by the record and the rules as they are now, and deliver them."""
    del debug

    async def act(session: Session, found: list[int], who: str, progress: Progress) -> list[Acted]:
        from isthmus.app.acting import retry as retry_messages

        return await retry_messages(session.runtime.world, found, who, progress)

    if not (ids or state or flow or code or everything):
        raise typer.BadParameter("name messages, or say --state, --flow, --code or --all")
    choice = {"ids": ids or [], "states": checked_states(state or []), "flow": flow, "code": code}
    raise typer.Exit(asyncio.run(_act(place_of(project, sets), choice, act, deliver, as_json)))


def skip(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Messages, M-12 or 12.")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Decide that nothing shall be sent for these messages; what is booked stays booked."""
    del debug
    if not why.strip():
        raise typer.BadParameter("say why, for those who read the audit", param_hint="--why")

    async def act(session: Session, found: list[int], who: str, progress: Progress) -> list[Acted]:
        from isthmus.app.acting import skip as skip_messages

        return await skip_messages(session.runtime.world, found, who, why.strip(), progress)

    raise typer.Exit(asyncio.run(_act(place_of(project, sets), {"ids": ids}, act, False, as_json)))


def correct(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Held changes of booked documents.")],
    deliver: Deliver = True,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Book the counter of what is booked and the new document, linked to the first."""
    del debug

    async def act(session: Session, found: list[int], who: str, progress: Progress) -> list[Acted]:
        from isthmus.app.acting import correct as correct_messages

        return await correct_messages(session.runtime.world, found, who, progress)

    raise typer.Exit(asyncio.run(_act(place_of(project, sets), {"ids": ids}, act, deliver, as_json)))


Act = Callable[["Session", list[int], str, Progress], Awaitable[list["Acted"]]]


async def _act(place: Any, choice: dict[str, Any], act: Act, deliver: bool, as_json: bool) -> int:
    from isthmus.app import acting
    from isthmus.app.people import local_user
    from isthmus.cli.counting import show_count
    from isthmus.cli.opening import open_session

    ids = acting.message_ids(choice.pop("ids"))
    async with open_session(place, jumps=True) as session:
        check_flow(choice.get("flow", ""), session.project.flows)
        world = session.runtime.world
        troubled: dict[str, str] = {}
        if deliver:  # what was mended a moment ago is not in the ledger yet
            await session.refuse_changed_environment()
            troubled = await acting.look_afresh(session.runtime, simulated=session.simulated)
        found = await acting.chosen(world, ids, **choice)
        with show_count("deciding anew", len(found), quiet=as_json) as progress:
            acted = await act(session, found, local_user(), progress)
        became = await acting.became(world, acted)
        if deliver and any(one.done and one.row and one.row.connection not in troubled for one in became):
            troubled |= await _deliver(session, as_json)
            became = await acting.became(world, acted)
    _show(became, as_json)
    for name, trouble in troubled.items():
        say(f"{name}: {trouble}", style="red", error=True)
    if troubled:
        return 3
    return 2 if any(not one.done or (one.row and one.row.state in {"dead", "held"}) for one in became) else 0


async def _deliver(session: Session, as_json: bool) -> dict[str, str]:
    from isthmus.app import acting
    from isthmus.cli.progress import show_progress

    with show_progress(quiet=as_json) as progress:
        standing = await acting.deliver(session.runtime, simulated=session.simulated, progress=progress)
    if standing is None:
        if not as_json:
            say("A worker serves this home and delivers them.", style="dim")
        return {}
    return dict(standing.troubled)


def _show(became: list[Became], as_json: bool) -> None:
    if as_json:
        for one in became:
            write_json(one.line())
        return
    if not became:
        say("No such messages.")
        return
    rows = []
    for one in became:
        row = one.row
        worth = money(row.amount, row.currency) if row else ""
        said = row.reason if one.done and row and row.reason else one.text
        rows.append([f"M-{one.id}", row.state if row else "", row.number if row else "", worth, said])
    table(["id", "state", "document", "amount", ""], rows, right=(3,), states=1, keep=(0, 1, 2))
