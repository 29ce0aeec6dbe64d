"""CSV files named in a seed: rows to records, by a map of fields to columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from isthmus.sandbox.cafm.entity import Entity, Field
from isthmus.sandbox.cafm.kinds import Day, Exact

Row = dict[str, str]


class LineColumns(msgspec.Struct, forbid_unknown_fields=True):
    """Lines made of rows. `where`: columns and the value a row must have to be such a line."""

    columns: dict[str, str] = {}
    constants: dict[str, Any] = {}
    where: dict[str, str] = {}


class CsvFile(msgspec.Struct, forbid_unknown_fields=True):
    """One file. A field may be a path such as `address.city`; `#1` is the first column of a file without a header.

    `group_by`: columns whose values rows of one record share; the first of them has its fields, each is a line.
    """

    entity: str
    file: str
    columns: dict[str, str] = {}
    constants: dict[str, Any] = {}
    lines: dict[str, LineColumns] = {}
    group_by: list[str] = []
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal: str = "."
    date_format: str = ""
    header: bool = True


def records(source: CsvFile, entity: Entity, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and content of each record, in the order of the file. Raises ValueError and OSError."""
    kinds = dict(_kinds(entity.fields))
    for place, rows in _groups(source, folder):
        found: dict[str, Any] = {}
        _fill(found, source.columns, source.constants, rows[0], kinds, source, "")
        for name, lines in source.lines.items():
            found[name] = [
                _line(lines, row, kinds, source, f"{name}.")
                for row in rows
                if all(row.get(column) == value for column, value in lines.where.items())
            ]
        yield place, found


def _line(lines: LineColumns, row: Row, kinds: Mapping[str, Any], source: CsvFile, prefix: str) -> dict[str, Any]:
    line: dict[str, Any] = {}
    _fill(line, lines.columns, lines.constants, row, kinds, source, prefix)
    return line


def _groups(source: CsvFile, folder: Path) -> Iterator[tuple[str, list[Row]]]:
    """Rows of one record together, with the place of the first; without grouping each row alone."""
    groups: dict[tuple[str | None, ...], tuple[str, list[Row]]] = {}
    for number, row in _rows(source, folder):
        place = f"{source.file}, row {number}"
        if not source.group_by:
            yield place, [row]
            continue
        key = tuple(row.get(column) for column in source.group_by)
        groups.setdefault(key, (place, []))[1].append(row)
    yield from groups.values()


def _rows(source: CsvFile, folder: Path) -> Iterator[tuple[int, Row]]:
    with (folder / source.file).open(encoding=source.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=source.delimiter)
        header = next(reader, []) if source.header else None
        _check(source, header)
        for cells in reader:
            if cells:
                names = header or [f"#{at}" for at in range(1, len(cells) + 1)]
                yield reader.line_num, dict(zip(names, cells, strict=False))


def _check(source: CsvFile, header: list[str] | None) -> None:
    """Every column that is named must be there."""
    if header is None:
        return
    named = {*source.columns.values(), *source.group_by}
    for lines in source.lines.values():
        named |= {*lines.columns.values(), *lines.where}
    missing = sorted(named - set(header))
    if missing:
        raise ValueError(f"{source.file}: there is no column {missing[0]!r}; there are {', '.join(header)}")


def _fill(
    found: dict[str, Any],
    columns: Mapping[str, str],
    constants: Mapping[str, Any],
    row: Row,
    kinds: Mapping[str, Any],
    source: CsvFile,
    prefix: str,
) -> None:
    for path, value in constants.items():
        _set(found, path, value)
    for path, column in columns.items():
        text = row.get(column, "").strip()
        if text:
            _set(found, path, _spelled(text, kinds.get(prefix + path), source))


def _set(found: dict[str, Any], path: str, value: Any) -> None:
    *outer, name = path.split(".")
    for part in outer:
        found = found.setdefault(part, {})
    found[name] = value


def _spelled(text: str, kind: Any, source: CsvFile) -> str:
    """Numbers and dates as the API spells them; everything else as it stands."""
    if isinstance(kind, Exact):
        thousands = "," if source.decimal == "." else "."
        return text.replace(thousands, "").replace(source.decimal, ".")
    if isinstance(kind, Day) and source.date_format:
        return datetime.strptime(text, source.date_format).date().isoformat()  # noqa: DTZ007 - a day has no zone
    return text


def _kinds(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for field in fields:
        yield f"{prefix}{field.name}", field.kind
        yield from _kinds((*field.members, *field.lines), f"{prefix}{field.name}.")
