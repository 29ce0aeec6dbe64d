"""`isthmus export`: audit, messages, records, the mapping sheet and the ownership matrix, for auditors and owners."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json

if TYPE_CHECKING:
    from datetime import date

    from isthmus.cli.place import Place

KINDS = ("audit", "messages", "records", "mapping", "ownership")
FORMATS = ("csv", "jsonl")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    what: Annotated[str, typer.Argument(metavar="WHAT", help=f"{', '.join(KINDS)}.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC), included.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC), included.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: stdout.")] = None,
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write rows of a period one by one, whatever their number; formulas in them are made harmless for spreadsheets."""
    del debug
    _check("WHAT", what, KINDS)
    _check("--format", form, FORMATS)
    form = "jsonl" if as_json and out is None else form
    first, last = (moment.date() if moment is not None else None for moment in (since, until))
    if first is not None and last is not None and first > last:
        raise typer.BadParameter("--from is after --to")
    number = asyncio.run(_export(place_of(project, sets), what, first, last, form, out))
    if out is not None and as_json:
        write_json({"file": str(out), "rows": number})
    elif out is not None:
        say(f"{number:,} rows in {out}")


def _check(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(choices)}", param_hint=name)


async def _export(place: Place, what: Any, since: date | None, until: date | None, form: Any, out: Path | None) -> int:
    from isthmus.app import exporting
    from isthmus.cli.reading import open_reading

    if what in {"mapping", "ownership"}:
        loaded = place.load()
        columns, rows = _of_project(loaded, what)
        with _stream(out) as stream:
            return await exporting.write_all(rows, exporting.sink(form, stream, columns))
    async with open_reading(place) as reading, reading.transaction() as db:
        from isthmus.ledger.exporting import columns as columns_of
        from isthmus.ledger.exporting import each

        names = await columns_of(db, what)
        with _stream(out) as stream:
            return await exporting.write_all(each(db, what, since, until), exporting.sink(form, stream, names))


def _of_project(loaded: Any, what: str) -> tuple[Any, Any]:
    if what == "mapping":
        from isthmus.app import mapping_sheet

        return mapping_sheet.COLUMNS, mapping_sheet.rows(loaded)
    from isthmus.app.ownership import COLUMNS, matrix

    return COLUMNS, matrix(loaded)


@contextmanager
def _stream(out: Path | None) -> Iterator[TextIO]:
    """stdout, or a file that is there whole or not at all."""
    if out is None:
        yield sys.stdout
        return
    from isthmus.errors import ConfigurationError

    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        unfinished.replace(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.", code="usage") from None
    finally:
        unfinished.unlink(missing_ok=True)
