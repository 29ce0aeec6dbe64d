"""Lookup tables for people: rows with where they come from, changes with audit and with what waited for them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from isthmus.app.project.lookups import read_tables
from isthmus.app.project.problems import Problems
from isthmus.app.project.project import Project
from isthmus.errors import ConfigurationError
from isthmus.ledger import audit, listing, lookups
from isthmus.ledger.lookups import LookupRow
from isthmus.ledger.types import AuditWrite, Db
from isthmus.mapping.tables import LookupTable

#: The audit chain of what people do, beside one chain per connection.
PEOPLE = "people"


class Translation(Struct, frozen=True, kw_only=True):
    """One row as it holds now. `file_value`: what the project's file says where a person set another value."""

    table: str
    key: str
    value: str
    origin: str
    file_value: str | None = None

    def line(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "table": self.table,
            "key": self.key,
            "value": self.value,
            "origin": self.origin,
            "file_value": self.file_value,
        }


class Changed(Struct, frozen=True, kw_only=True):
    """What a change did. `waiting`: stopped messages that missed one of these rows."""

    table: str
    rows: int
    told: tuple[str, ...]
    waiting: tuple[int, ...]

    def line(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "table": self.table,
            "changed": self.rows,
            "waiting": list(self.waiting),
            "next": "isthmus sync" if self.waiting else None,
        }


async def changed_rows(db: Db) -> list[LookupRow]:
    """Rows that people set."""
    return await lookups.rows_with_origin(db)


def listed(project: Project, changed: Sequence[LookupRow], name: str = "") -> list[Translation]:
    """All rows of all tables, or of one. Raises ConfigurationError for a table the project does not have."""
    if name:
        _known(project, name)
    files = {table: found.file for table, found in read_tables(project.folder, project.variables, Problems()).items()}
    rows = {
        (table, key): Translation(table=table, key=key, value=value, origin=files.get(table, ""))
        for table, values in project.tables.items()
        for key, value in values.items()
    }
    for row in changed:
        before = rows.get((row.name, row.key))
        rows[row.name, row.key] = Translation(
            table=row.name,
            key=row.key,
            value=row.value,
            origin=f"{row.who}, {row.changed_at:%Y-%m-%d %H:%M} UTC",
            file_value=before.value if before is not None else None,
        )
    return [rows[at] for at in sorted(rows) if name in {"", at[0]}]


async def change(
    db: Db, project: Project, name: str, values: Mapping[str, str | None], *, who: str, now: datetime
) -> Changed:
    """Set rows, or forget those whose value is None, within the caller's transaction: all of them or none.

    Raises ConfigurationError for an unknown table, a row that is not there to be forgotten, or keys that contradict.
    """
    _known(project, name)
    before = {row.key: row.value for row in await lookups.rows_with_origin(db) if row.name == name}
    written: list[AuditWrite] = []
    told: list[str] = []
    for key, value in values.items():
        old = before.get(key, project.tables.get(name, {}).get(key))
        new = project.tables.get(name, {}).get(key) if value is None else value
        if value is None and key not in before:
            raise ConfigurationError(
                f"{name} has no row {key!r} that was set here.", code="usage", hint="Rows of files are kept in them."
            )
        if value is None:
            await lookups.forget(db, name, key)
        elif old != value or key in before:
            await lookups.put(db, name, key, value, who=who, now=now)
        if old != new:
            what = "lookup row removed" if value is None else "lookup row set"
            written.append(AuditWrite(what=what, who=who, field=f"{name}[{key}]", old=old, new=new))
            told.append(f"{name}: {key} = {'(nothing)' if new is None else new}, was {_was(old)}")
    _consistent(project, name, await lookups.rows_with_origin(db))
    await audit.append(db, PEOPLE, written, now)
    waiting = [row.id for key, value in values.items() if value for row in await listing.waiting_for_lookup(db, key)]
    return Changed(table=name, rows=len(written), told=tuple(told), waiting=tuple(dict.fromkeys(waiting)))


def _was(old: str | None) -> str:
    return "not there" if old is None else old


def _known(project: Project, name: str) -> None:
    if name not in project.tables:
        known = ", ".join(sorted(project.tables)) or "none"
        raise ConfigurationError(f"there is no lookup table {name!r}.", code="usage", hint=f"The project has {known}.")


def _consistent(project: Project, name: str, changed: Sequence[LookupRow]) -> None:
    rows = {**project.tables.get(name, {}), **{row.key: row.value for row in changed if row.name == name}}
    problem = ""
    try:
        LookupTable(name, rows)
    except ValueError as error:
        problem = str(error)
    if problem:
        raise ConfigurationError(f"{problem}.", code="usage", hint="Keys that differ in blanks only are the same key.")


def rows_of(file: Path) -> Iterator[tuple[str, str]]:
    """Rows of a `key,value` CSV file. Raises ConfigurationError with file and line."""
    seen: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            if next(reader, []) != ["key", "value"]:
                raise ConfigurationError("the first line must be `key,value`.", file=str(file), line=1)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != 2:
                    text = f"{len(cells)} cells instead of 2: put a value with a comma in quotes."
                    raise ConfigurationError(text, file=str(file), line=reader.line_num)
                if cells[0] in seen:
                    text = f"key {cells[0]!r} is on line {seen[cells[0]]} already."
                    raise ConfigurationError(text, file=str(file), line=reader.line_num)
                seen[cells[0]] = reader.line_num
                yield cells[0], cells[1]
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}.", file=str(file)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"is not CSV in UTF-8: {error}.", file=str(file)) from None
