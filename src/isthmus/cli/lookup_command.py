"""`isthmus lookup`: small translation tables. Rows set here win over the project's files and are audited."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import plain, say, table, write_json

if TYPE_CHECKING:
    from isthmus.app.translations import Changed, Translation
    from isthmus.cli.place import Place

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the table.")]
Key = Annotated[str, typer.Argument(metavar="KEY")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Translation tables: see rows and where they come from, set, remove and import them.")
    group.command("list")(list_rows)
    group.command("get")(get)
    group.command("set")(put)
    group.command("remove")(remove)
    group.command("import")(import_rows)
    app.add_typer(group, name="lookup")


def list_rows(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this table.")] = "",
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """All rows, with the file or the person each comes from."""
    del debug
    rows = asyncio.run(_rows(place_of(project, sets), name))
    if as_json:
        for row in rows:
            write_json(row.line())
    elif rows:
        head = ["table", "key", "value", "from", "instead of"]
        table(head, [[r.table, r.key, r.value, r.origin, r.file_value or ""] for r in rows])
    else:
        say("There are no rows.")


def get(
    name: Name,
    key: Key,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """The value of one key; exit 1 when there is none."""
    del debug
    found = next((row for row in asyncio.run(_rows(place_of(project, sets), name)) if row.key == key), None)
    if found is None:
        if not as_json:
            say(f"{name} has no row {key!r}.", error=True)
        raise typer.Exit(1)
    if as_json:
        write_json(found.line())
    else:
        typer.echo(plain(found.value))


def put(
    name: Name,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Set one row; it wins over the project's files until it is removed."""
    del debug
    _change(place_of(project, sets), name, {key: value}, as_json)


def remove(
    name: Name,
    key: Key,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Forget a row set here: what the project's files say holds again."""
    del debug
    _change(place_of(project, sets), name, {key: None}, as_json)


def import_rows(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns key,value.")],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Set all rows of a CSV file, or none when one of them is wrong."""
    del debug
    from isthmus.app.translations import rows_of

    _change(place_of(project, sets), name, dict(rows_of(file)), as_json)


async def _rows(place: Place, name: str) -> list[Translation]:
    from isthmus.app import translations
    from isthmus.cli.reading import open_reading

    async with open_reading(place) as reading:
        if reading.database is None:
            return translations.listed(reading.project, [], name)
        async with reading.transaction() as db:
            return translations.listed(reading.project, await translations.changed_rows(db), name)


def _change(place: Place, name: str, values: dict[str, str | None], as_json: bool) -> None:
    changed = asyncio.run(_changed(place, name, values))
    if as_json:
        write_json(changed.line())
        return
    for text in changed.told:
        say(text)
    if changed.waiting:
        shown = ", ".join(f"M-{message_id}" for message_id in changed.waiting[:5])
        more = " …" if len(changed.waiting) > 5 else ""
        say(f"{len(changed.waiting):,} stopped documents missed such a row ({shown}{more}): run `isthmus sync`.")
    elif changed.told:
        say("Records are read again under it by the next `isthmus sync`.", style="dim")


async def _changed(place: Any, name: str, values: dict[str, str | None]) -> Changed:
    from isthmus.app import translations
    from isthmus.app.people import local_user
    from isthmus.cli.reading import open_reading
    from isthmus.contract.clock import SystemClock

    async with open_reading(place, create=True) as reading, reading.transaction() as db:
        now = SystemClock().now()
        return await translations.change(db, reading.project, name, values, who=local_user(), now=now)
