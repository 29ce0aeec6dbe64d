"""`isthmus match-existing`, `couple`, `uncouple`, `merge`: two systems that are both full already."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, table, write_json

if TYPE_CHECKING:
    from isthmus.app.matching import Met
    from isthmus.cli.opening import Session

_SHOWN = 50
FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="Flow that keeps the records in step.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("match-existing")(match_existing)
    app.command("couple")(couple)
    app.command("uncouple")(uncouple)
    app.command("merge")(merge)


def match_existing(
    flow: Annotated[str, typer.Argument(metavar="[FLOW]", help="Flow that keeps the records in step.")] = "",
    review: Annotated[
        Path | None, typer.Option("--review", help="Write the candidates into this file, for somebody to decide.")
    ] = None,
    apply: Annotated[Path | None, typer.Option("--apply", help="Couple what this file calls `same`.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Everything was gone through: make in the target what it does not have.")
    ] = False,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what both sides have, and which of the rest may be the same; couple what a person decided."""
    del debug
    raise typer.Exit(asyncio.run(_match(place_of(project, sets), flow, review, apply, confirm, as_json)))


async def _match(place: Any, name: str, review: Path | None, apply: Path | None, confirm: bool, as_json: bool) -> int:
    from isthmus.app import matching
    from isthmus.app.people import local_user
    from isthmus.cli.opening import open_session

    decided = matching.read_review(apply) if apply is not None else []
    async with open_session(place, jumps=True) as session:
        flow = matching.keep_flow(session.runtime.world, name)
        if decided:
            coupled = await matching.couple_pairs(session.runtime, flow, decided, local_user())
            _tell(as_json, f"{coupled:,} coupled.")
        if confirm:
            going = await matching.confirm(session.runtime, flow, local_user())
            _tell(as_json, f"Confirmed: {going:,} will be made in {flow.target}.")
        met = await matching.look(session.runtime, flow)
        if review is not None:
            matching.write_review(met, review)
            _tell(as_json, f"{len(met.pairs):,} lines written to {review}.")
    _show(met, as_json)
    return 2 if met.pairs and not met.confirmed else 0


def _tell(as_json: bool, text: str) -> None:
    if not as_json:
        say(text, style="green")


def _show(met: Met, as_json: bool) -> None:
    if as_json:
        for pair in met.pairs:
            write_json({name: getattr(pair, name) for name in pair.__struct_fields__ if name != "decision"})
        write_json({"flow": met.flow, "entity": met.entity, "linked": met.linked, "confirmed": met.confirmed})
        return
    say(f"{met.linked:,} records are on both sides.")
    if not met.pairs:
        say("Nothing is left to decide.", style="green")
        return
    rows = [
        [f"{pair.score:g}" if pair.score else "", _called(pair.source_number, pair.source_name),
         _called(pair.target_number, pair.target_name), pair.reasons]
        for pair in met.pairs[:_SHOWN]
    ]  # fmt: skip
    table(["score", "source", "target", "because"], rows, right=(0,))
    if len(met.pairs) > _SHOWN:
        say(f"and {len(met.pairs) - _SHOWN:,} more; --review FILE writes all of them.", style="dim")


def _called(number: str, name: str) -> str:
    return f"{number} {name}".strip() or "none"


def couple(
    flow: FlowName,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Number or id of the record in the source.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Number or id of the record in the target.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say that a record of the source and one of the target are the same."""
    del debug

    async def act(session: Session, who: str) -> str:
        from isthmus.app import matching

        found = matching.keep_flow(session.runtime.world, flow)
        pair = matching.Pair(decision="same", source_id=source, target_id=target)
        coupled = await matching.couple_pairs(session.runtime, found, [pair], who)
        return "coupled" if coupled else "coupled already"

    raise typer.Exit(asyncio.run(_act(place_of(project, sets), act, as_json)))


def uncouple(
    flow: FlowName,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Number or id of the record in the target.")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say that they are two: the target's record becomes one of its own, with the values it shows."""
    del debug
    if not why.strip():
        raise typer.BadParameter("say why, for those who read the audit", param_hint="--why")

    async def act(session: Session, who: str) -> str:
        from isthmus.app import matching

        found = matching.keep_flow(session.runtime.world, flow)
        return f"uncoupled {await matching.uncouple_one(session.runtime, found, target, who, why.strip())}"

    raise typer.Exit(asyncio.run(_act(place_of(project, sets), act, as_json)))


def merge(
    flow: FlowName,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="System that has the record twice.")],
    kept: Annotated[str, typer.Argument(metavar="KEPT", help="Number or id of the one that stays.")],
    double: Annotated[str, typer.Argument(metavar="DOUBLE", help="Number or id of the one that is set aside.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say that a system has a record twice: the double is set aside, what refers to it refers to the other one."""
    del debug

    async def act(session: Session, who: str) -> str:
        from isthmus.app import matching

        found = matching.keep_flow(session.runtime.world, flow)
        await matching.merge_doubles(session.runtime, found, connection, kept, double, who)
        return f"merged; block the double in {connection}, so that nobody uses it again"

    raise typer.Exit(asyncio.run(_act(place_of(project, sets), act, as_json)))


async def _act(place: Any, act: Any, as_json: bool) -> int:
    from isthmus.app.people import local_user
    from isthmus.cli.opening import open_session

    async with open_session(place, jumps=True) as session:
        text = await act(session, local_user())
    if as_json:
        write_json({"done": text})
    else:
        say(f"{text[0].upper()}{text[1:]}.", style="green")
    return 0
