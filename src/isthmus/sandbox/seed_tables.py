"""Rows of a seed that stand in CSV files, and `${name}` in a seed."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

_USE = re.compile(r"\$\{\s*([A-Za-z_][\w-]*)\s*\}")


class TableError(ValueError):
    """A table of a seed that cannot be read; says which file, column and value."""


class Column(msgspec.Struct, forbid_unknown_fields=True):
    """Where a key of a row comes from: a column of the file, a fixed value, or by way of a second file: there the row
    whose column `key` holds this one's value gives its column `take`. `map` then turns values into others; `*` stands
    for those it does not name.
    """

    column: str = ""
    value: str | None = None
    file: str = ""
    key: str = ""
    take: str = ""
    map: dict[str, str] = {}


class Source(msgspec.Struct, forbid_unknown_fields=True):
    """A CSV file with a line of headers, and what the keys of a row are made of. `where` keeps only rows whose columns
    hold these values.
    """

    csv: str
    columns: dict[str, str | Column]
    where: dict[str, str | list[str]] = {}
    delimiter: str = ","
    encoding: str = "utf-8-sig"


def with_variables(value: Any, variables: Mapping[str, str]) -> Any:
    """Every `${name}` in texts replaced. Raises TableError for a name without a value."""
    if isinstance(value, str) and "${" in value:
        return _USE.sub(lambda use: _variable(use[1], variables), value)
    if isinstance(value, dict):
        return {key: with_variables(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_variables(inner, variables) for inner in value]
    return value


def _variable(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        known = ", ".join(sorted(variables)) or "none"
        raise TableError(f"there is no variable {name!r}; there are: {known}")
    return variables[name]


def with_tables(section: Any, folder: Path, place: str) -> Any:
    """A section with the rows of its CSV files in place of each mapping that has `csv`. Paths count from `folder`.
    Raises TableError.
    """
    if isinstance(section, dict) and "csv" in section:
        return list(_rows(section, folder, place))
    if isinstance(section, list):
        found: list[Any] = []
        for one in section:
            found += _rows(one, folder, place) if isinstance(one, dict) and "csv" in one else [one]
        return found
    return section


def _rows(given: Mapping[str, Any], folder: Path, place: str) -> Iterator[dict[str, str]]:
    try:
        source = msgspec.convert(given, Source, strict=False)
    except msgspec.ValidationError as error:
        raise TableError(f"{place}: {error}") from None
    path = folder / source.csv
    wanted = {name: [one] if isinstance(one, str) else one for name, one in source.where.items()}
    headers, table = _read(path, source, place)
    makers = {name: _maker(column, headers, path, source, place) for name, column in source.columns.items()}
    for name in wanted:
        _check_header(name, headers, path, place)
    for row in table:
        if all(row[name] in values for name, values in wanted.items()):
            yield {name: make(row) for name, make in makers.items()}


def _read(path: Path, source: Source, place: str) -> tuple[list[str], list[dict[str, str]]]:
    """Headers and rows, every value without blanks around it."""
    try:
        with path.open(encoding=source.encoding, newline="") as file:
            lines = csv.reader(file, delimiter=source.delimiter, strict=True)
            headers = [name.strip() for name in next(lines, [])]
            rows = []
            for line in lines:
                if len(line) != len(headers):
                    text = f"{place}: {path}, line {lines.line_num}: {len(line)} values for {len(headers)} columns"
                    raise TableError(text)
                rows.append(dict(zip(headers, (value.strip() for value in line), strict=True)))
    except (OSError, LookupError, UnicodeError, csv.Error) as error:
        raise TableError(f"{place}: {path} cannot be read: {error}") from None
    return headers, rows


def _check_header(name: str, headers: list[str], path: Path, place: str) -> None:
    if name not in headers:
        raise TableError(f"{place}: {path} has no column {name!r}; it has {', '.join(headers)}")


def _maker(
    given: str | Column, headers: list[str], path: Path, source: Source, place: str
) -> Callable[[dict[str, str]], str]:
    """What makes one value of a row. A text alone names a column."""
    column = Column(given) if isinstance(given, str) else given
    if column.value is not None:
        fixed = column.value
        return lambda _: fixed
    _check_header(column.column, headers, path, place)
    name = column.column
    steps: list[Callable[[str], str]] = []
    if column.file:
        steps.append(_by_way_of(column, path, source, place))
    if column.map:
        steps.append(_mapped(column, path, place))

    def make(row: dict[str, str]) -> str:
        value = row[name]
        for step in steps:
            value = step(value)
        return value

    return make


def _by_way_of(column: Column, path: Path, source: Source, place: str) -> Callable[[str], str]:
    """A look-up in a second file, which stands beside the first one unless its path says otherwise."""
    beside = path.parent / column.file
    headers, rows = _read(beside, source, place)
    for name in (column.key, column.take):
        _check_header(name, headers, beside, place)
    known = {row[column.key]: row[column.take] for row in rows}

    def step(value: str) -> str:
        if value and value not in known:
            raise TableError(f"{place}: {column.column} {value!r} is not in column {column.key} of {beside}")
        return known.get(value, "")

    return step


def _mapped(column: Column, path: Path, place: str) -> Callable[[str], str]:
    def step(value: str) -> str:
        found = column.map.get(value, column.map.get("*"))
        if found is None:
            raise TableError(f"{place}: {path}, {column.column} {value!r}: `map` has neither it nor *")
        return found

    return step
