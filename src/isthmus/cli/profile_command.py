"""`isthmus profile`: profiles of REST systems, what they say, and whether a live system does as they say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import PROJECT_FILE, Debug, Json, Project, Sets, place_of
from isthmus.cli.output import heading, say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.place import Place

ASSUMED = "assumed"


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Profiles of REST systems: list them, show one, check them and the live systems.")
    group.command("list")(list_profiles)
    group.command("show")(show)
    group.command("check")(check)
    app.add_typer(group, name="profile")


def list_profiles(project: Project = None, sets: Sets = None, as_json: Json = False, debug: Debug = False) -> None:
    """Profiles that come along, and those of the project."""
    del debug
    from isthmus.app.profiles import listed

    place = place_of(project, sets)
    found = listed(place.load() if project is not None or (place.folder / PROJECT_FILE).is_file() else None)
    if as_json:
        for row in found:
            write_json({name: getattr(row, name) for name in row.__struct_fields__})
        return
    head = ["profile", "version", "system", "from", "entities", "", "used by"]
    rows = [
        [r.name, r.version, r.title, r.origin, len(r.entities), ASSUMED if r.assumed else "", ", ".join(r.used_by)]
        for r in found
    ]
    table(head, rows, right=[4])


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a profile, or the path of its file.")],
    source: Annotated[bool, typer.Option("--source", help="Its YAML as it stands, to copy from.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What a profile says of each entity, and what of it nothing proves."""
    del debug
    from isthmus.app.profiles import shown, source_of

    wanted = str((Path.cwd() / name).resolve()) if name.endswith((".yaml", ".yml")) else name
    if source:
        typer.echo(source_of(wanted), nl=False)
        return
    found = shown(wanted)
    if as_json:
        write_json(found)
    else:
        _print(found)


def check(
    what: Annotated[str, typer.Argument(metavar="[WHAT]", help="A connection, a profile's name, or its file.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Look at the files only; ask no system.")] = False,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """The form of profiles, and what the live systems do differently. Reads only."""
    del debug
    from isthmus.app.profiles import is_profile

    place = place_of(project, sets)
    if what and is_profile(what) and not _is_connection(place, what):
        raise typer.Exit(_check_form(what, as_json))
    raise typer.Exit(asyncio.run(_check_live(place, what, offline, as_json)))


def _is_connection(place: Place, name: str) -> bool:
    """Whether the project here calls a connection by a name that a profile has as well."""
    from isthmus.errors import IsthmusError

    try:
        return name in place.load().connections
    except IsthmusError:
        return False


def _check_form(name: str, as_json: bool) -> int:
    from isthmus.app.profiles import problems_in

    problems = problems_in(name, Path.cwd())
    for problem in problems:
        if as_json:
            write_json({"profile": name, "text": problem.message, "mend": problem.hint, "file": problem.file,
                        "line": problem.line})  # fmt: skip
        else:
            say(str(problem), style="red")
    if not problems and not as_json:
        say(f"The profile {name} is in order.")
    return 1 if problems else 0


async def _check_live(place: Place, what: str, offline: bool, as_json: bool) -> int:
    from isthmus.app.profiles import compared
    from isthmus.app.wiring import build_connectors
    from isthmus.cli.opening import connection_settings
    from isthmus.cli.simulation import start_simulation
    from isthmus.errors import Halt, Retry

    project = place.load()  # tells every problem of every profile it names, with file and line
    names = _wanted(project, what)
    if offline:
        say(f"The profiles of {', '.join(names)} are in order.")
        return 0
    simulation = start_simulation(project)
    code = 0
    try:
        clock = simulation.clock(jumps=False)
        connectors = build_connectors(project, clock, connection_settings(project, simulation))
        try:
            for name in names:
                try:
                    seen = [one async for one in compared(connectors[name])]
                except (Halt, Retry) as error:
                    _tell_unreachable(name, error, as_json)
                    code = 3
                    continue
                code = max(code, _tell(name, seen, as_json)) if code != 3 else code
        finally:
            for connector in connectors.values():
                await connector.close()
    finally:
        simulation.stop()
    return code


def _wanted(project: Any, what: str) -> list[str]:
    from isthmus.app.project.profiles import profiles_of
    from isthmus.errors import ConfigurationError

    names = [name for name, one in project.connections.items() if profiles_of(one.system) is not None]
    if what and what not in names:
        raise ConfigurationError(
            f"there is no connection {what!r} with a profile.", code="usage",
            hint=f"There is: {', '.join(names) or 'none'}.",
        )  # fmt: skip
    if not names:
        raise ConfigurationError(
            "no connection of this project has a profile.",
            code="usage",
            hint="Name a profile: isthmus profile check NAME",
        )
    return [what] if what else names


def _tell_unreachable(name: str, error: Any, as_json: bool) -> None:
    if as_json:
        write_json({"connection": name, "entity": "", "part": "", "assumed": False, "as_declared": False,
                    "code": error.code, "severity": "error", "text": error.message, "field": "",
                    "mend": error.hint})  # fmt: skip
    else:
        say(f"{name}: {error}", style="red")


def _tell(name: str, seen: list[Any], as_json: bool) -> int:
    wrong = [one for one in seen if one.finding is not None and one.finding.severity == "error"]
    for one in seen:
        finding = one.finding
        if as_json:
            write_json({
                "connection": name, "entity": one.entity, "part": one.part, "assumed": one.assumed,
                "as_declared": finding is None, "code": finding.code if finding else "",
                "severity": finding.severity if finding else "", "text": finding.text if finding else "",
                "field": finding.field if finding else "", "mend": finding.mend if finding else "",
            })  # fmt: skip
        elif finding is not None:
            style = "red" if finding.severity == "error" else ""
            say(f"{name}: {one.entity}, {one.part}: {finding.text}", style=style)
    if not as_json:
        confirmed = [one for one in seen if one.assumed and one.finding is None]
        if confirmed:
            heading(f"{name}: assumed, and seen as the profile says")
            table(["entity", "part"], [[one.entity, one.part] for one in confirmed])
        say(f"{name}: {len(seen):,} facts compared, {len(wrong)} differ.")
    return 1 if wrong else 0


def _print(found: dict[str, Any]) -> None:
    heading(f"{found['title']}: profile {found['profile']} {found['version']}")
    if found["about"]:
        say(found["about"])
    limit = f"{found['requests']} calls in {found['window_seconds']} s" if found["requests"] else "no known limit"
    batch = f", batches of {found['batch']}" if found["batch"] else ""
    hooks = ", webhooks" if found["webhooks"] else ""
    say(f"Sign-in {found['auth']}; {limit}, {found['concurrency']} at once{batch}{hooks}. Source: {found['source']}.")
    for name, about in found["parameters"].items():
        say(f"parameters.{name}: {about}")
    rows = [
        [one["entity"], one["set"], one["changes"], ", ".join(one["actions"]), ", ".join(one["key"]),
         ", ".join(one["assumed"])]
        for one in found["entities"]
    ]  # fmt: skip
    table(["entity", "set", "changes", "writes", "found again by", ASSUMED], rows)
